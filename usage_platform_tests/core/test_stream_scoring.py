"""However readings come, what stands in the end is what scoring them all at once finds."""

from copy import deepcopy
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.anomalies import (
    WITHDRAWN,
    anomalies_from_messages,
    anomaly_messages,
    find_anomalies,
    no_anomalies,
)
from usage_platform.core.detector.train import train
from usage_platform.core.episode_events import EpisodeStatus, event_of
from usage_platform.core.judging import LOOK_BACK
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.stream_scoring import KEPT, StreamMemory
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, NO_CALENDAR, library
from usage_platform_tests.core.made_models import (
    cut_forests,
    hourly,
    judges_of,
    model,
    readings,
)

OTHER = Meter("n", HOURLY.timezone, 60)
REGISTRY = MeterRegistry(HOURLY).with_meters([OTHER])
DAYS, STREAMED = 92, 10
START = pd.Timestamp(MONDAY, tz="UTC")
HOUR = pd.Timedelta(hours=1)
BEGINNING = -(2**62)


def on_day(day):
    return START + pd.Timedelta(days=day)


@pytest.fixture(scope="module")
def series():
    instants, values = library(DAYS)
    values[83 * 24 : 83 * 24 + 7] += 300
    values[85 * 24 + 12] *= 3
    values[87 * 24 + 1 : 87 * 24 + 4] = 0.0
    values[89 * 24 : 89 * 24 + 12] = 555.0
    values[91 * 24 + 3 : 91 * 24 + 6] *= 4
    return instants, values


@pytest.fixture(scope="module")
def frame(series):
    instants, values = series
    times = pd.DatetimeIndex(instants).tz_localize("UTC")
    both = [pd.DataFrame({"meter": m, "event_time": times, "value": values}) for m in ("m", "n")]
    kept = np.ones(len(instants), dtype=bool)
    kept[86 * 24 : 86 * 24 + 5] = False
    return pd.concat([both[0][kept], both[1]], ignore_index=True)


@pytest.fixture(scope="module")
def judges(series):
    """Rules only, a detector, another one, and the blog's forests; the meters one model apart."""
    rules, first, second = (
        train(*series, HOURLY, NO_CALENDAR, MONDAY + day * DAY) for day in (0, 70, 84)
    )
    narrow, wide = cut_forests(OTHER, 380, 920), cut_forests(OTHER, 377, 925)
    return judges_of(
        model("rules", on_day(0), {"m": rules}),
        model("first", on_day(71), {"m": first, "n": narrow}),
        model("second", on_day(85), {"m": second, "n": wide}),
        model("blog", on_day(90.5), {"m": cut_forests(HOURLY, 380, 920), "n": second}),
    )


@pytest.fixture(scope="module")
def whole(frame, judges):
    found = find_anomalies(frame, judges, REGISTRY).anomalies
    late = found[found["event_time"] >= on_day(DAYS - STREAMED)]
    assert late.groupby("meter")["model_version"].nunique().to_dict() == {"m": 3, "n": 3}
    return found


class Stream:
    """A memory, what it consumed and what it told."""

    def __init__(self, judges):
        self.judges = judges
        self.consumed, self.said, self.events, self.asked = [], [], [], []
        self.memory = StreamMemory(self.past)

    def past(self, meter, first, end):
        self.asked.append((meter, first, end))
        rows = pd.concat(self.consumed)
        span = rows["event_time"].between(
            pd.Timestamp(first, tz="UTC"), pd.Timestamp(end, tz="UTC"), inclusive="left"
        )
        return rows[span & (rows["meter"] == meter)]

    def take(self, batch):
        self.consumed.append(batch)
        to_tell = self.memory.take(batch, self.judges, REGISTRY)
        self.said.append(to_tell.anomalies)
        self.events += to_tell.episodes
        return to_tell

    def copy(self):
        other = Stream(self.judges)
        kept = ("history", "told", "events", "floor", "horizon")
        other.memory = StreamMemory(
            other.past, **{name: deepcopy(getattr(self.memory, name)) for name in kept}
        )
        for name in ("consumed", "said", "events"):
            setattr(other, name, list(getattr(self, name)))
        return other

    def rebuilt(self):
        """As a scorer starts again: what was told, and no more history than it must have."""
        other = self.copy()
        memory = other.memory = StreamMemory(other.past)
        rows = pd.concat(self.consumed)
        since = rows["event_time"].max() - LOOK_BACK
        memory.history.add(rows[rows["event_time"] >= since])
        memory.floor = since.value
        for said in self.said:
            memory.told.add(anomalies_from_messages(anomaly_messages(said, REGISTRY)))
        for event in self.events:
            memory.events.add(event_of(event.value))
        return other

    def stands(self):
        parts = [self.memory.told.episodes_since(meter, BEGINNING) for meter in ("m", "n")]
        parts = [part for part in parts if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else no_anomalies()

    def heard(self):
        """What somebody knows who read all that was told."""
        said = pd.concat([part for part in self.said if len(part)])
        last = said.drop_duplicates("anomaly_id", keep="last")
        return last[last["status"] != WITHDRAWN]

    def last_events(self):
        last = {(event.meter, event.episode): event for event in self.events}
        return {
            event.event_id for event in last.values() if event.status is not EpisodeStatus.WITHDRAWN
        }


@pytest.fixture(scope="module")
def begun(frame, judges):
    stream = Stream(judges)
    stream.take(frame[frame["event_time"] < on_day(DAYS - STREAMED)])
    return stream


@pytest.fixture(scope="module")
def coming(frame):
    rows = frame[frame["event_time"] >= on_day(DAYS - STREAMED)]
    return rows.sort_values(["event_time", "meter"], ignore_index=True)


@pytest.fixture(scope="module")
def at_once(frame, judges):
    stream = Stream(judges)
    stream.take(frame)
    return stream


def batches_of(rows, cuts):
    bounds = [0, *sorted(cuts), len(rows)]
    return [rows.iloc[a:b] for a, b in pairwise(bounds) if b > a]


def assert_same(one, other):
    by = ["meter", "event_time"]
    one, other = (rows.sort_values(by, ignore_index=True) for rows in (one, other))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


positions = st.sets(st.integers(1, 2 * 24 * STREAMED - 10), max_size=6)


@settings(max_examples=10, deadline=None)
@given(cuts=positions, seed=st.integers(0, 99), live=st.integers(1, 450))
def test_batches_and_the_order_within_them_change_nothing(
    begun, coming, whole, at_once, cuts, seed, live
):
    stream = begun.copy()
    one_by_one = range(live, live + 20)
    for batch in batches_of(coming, cuts.union(one_by_one)):
        stream.take(batch.sample(frac=1, random_state=seed))
    assert_same(stream.stands(), whole)
    assert_same(pd.concat([part for part in stream.said if len(part)]), whole)
    assert sorted(e.event_id for e in stream.events) == sorted(e.event_id for e in at_once.events)


def late_and_wrong(rows, rng):
    """Readings some of which come hours late, twice, or wrong at first."""
    delays = np.where(rng.random(len(rows)) < 0.1, rng.integers(0, 72, len(rows)), 0)
    wrong = rows[rng.random(len(rows)) < 0.05]
    first = wrong.assign(value=rng.choice([0.0, 300.0, 2500.0], len(wrong)))
    again = rows[rng.random(len(rows)) < 0.05]
    arrivals = pd.concat([first, rows.assign(late=delays), again.assign(late=90)])
    order = arrivals["event_time"] + pd.to_timedelta(arrivals["late"].fillna(-1), unit="h")
    arranged = arrivals.assign(order=order).sort_values("order", kind="stable")
    return arranged[rows.columns]


@settings(max_examples=12, deadline=None)
@given(cuts=positions, seed=st.integers(0, 999))
def test_late_and_corrected_readings_lead_to_what_all_at_once_would_have_found(
    begun, coming, whole, at_once, cuts, seed
):
    stream = begun.copy()
    for batch in batches_of(late_and_wrong(coming, np.random.default_rng(seed)), cuts):
        stream.take(batch)
    assert_same(stream.stands(), whole)
    assert_same(stream.heard(), whole)
    assert stream.last_events() == at_once.last_events()


@settings(max_examples=8, deadline=None)
@given(cuts=positions, seed=st.integers(0, 999), at=st.integers(0, 3))
def test_a_memory_that_was_rebuilt_goes_on_like_one_that_was_not(begun, coming, cuts, seed, at):
    kept = other = begun.copy()
    batches = batches_of(late_and_wrong(coming, np.random.default_rng(seed)), cuts)
    for number, batch in enumerate(batches):
        if number == min(at, len(batches) - 1):
            other = kept.rebuilt()
        one = kept.take(batch)
        if other is not kept:
            two = other.take(batch)
            pd.testing.assert_frame_equal(two.anomalies, one.anomalies, check_exact=True)
            assert two.episodes == one.episodes
            assert (two.scored, two.learning) == (one.scored, one.learning)
    assert_same(other.stands(), kept.stands())


def blog_stream():
    return Stream(judges_of(model("v", START, {"m": cut_forests(HOURLY)})))


def told(to_tell):
    rows = to_tell.anomalies
    hours = (rows["event_time"] - START) // HOUR
    return list(zip(hours.tolist(), rows["status"].tolist(), strict=True))


def lives(to_tell):
    return [(event.episode[-6:-1], event.status.value) for event in to_tell.episodes]


def test_a_corrected_reading_withdraws_the_anomaly_by_its_id_and_its_episode():
    stream = blog_stream()
    first = stream.take(hourly(START, [150, 500, 150]))
    assert told(first) == [(1, "told")]
    second = stream.take(hourly(START + HOUR, [150]))
    assert told(second) == [(1, WITHDRAWN)]
    assert second.anomalies["anomaly_id"].tolist() == first.anomalies["anomaly_id"].tolist()
    assert lives(second) == [("06:00", "withdrawn")]
    third = stream.take(hourly(START + HOUR, [500]))
    assert told(third) == [(1, "told")]
    assert lives(third) == [("06:00", "opened"), ("06:00", "closed")]


def test_a_late_reading_joins_two_episodes_to_one():
    stream = blog_stream()
    rows = hourly(START, [500, 150, 500])
    first = stream.take(rows.drop(1))
    assert first.anomalies["episode"].nunique() == 2
    second = stream.take(hourly(START + HOUR, [500]))
    assert told(second) == [(1, "told"), (2, "told")]
    assert set(stream.stands()["episode"]) == {"2024-01-01T05:00Z"}
    assert ("07:00", "withdrawn") in lives(second)
    assert lives(second)[0] == ("05:00", "updated")


def test_an_episode_goes_on_over_batches_with_its_name_and_closes_once():
    stream = blog_stream()
    said = [
        lives(stream.take(hourly(START + n * HOUR, [kw])))
        for n, kw in enumerate([500, 500, 500, 150, 150])
    ]
    assert said == [
        [("05:00", "opened")],
        [("05:00", "updated")],
        [("05:00", "updated")],
        [("05:00", "closed")],
        [],
    ]


def test_readings_that_come_again_are_not_judged_again():
    stream = blog_stream()
    rows = hourly(START, [150, 500, 500])
    assert stream.take(rows).scored == 3
    again = stream.take(rows)
    assert (again.scored, again.repeated, again.episodes) == (0, 0, [])
    corrected = stream.take(hourly(START, [160]))
    assert (corrected.scored, corrected.repeated) == (3, 2)
    assert corrected.anomalies.empty


def test_no_readings_have_nothing_to_tell():
    to_tell = blog_stream().take(readings())
    assert to_tell.anomalies.dtypes.equals(no_anomalies().dtypes)
    assert (to_tell.episodes, to_tell.scored, to_tell.learning) == ([], 0, 0)


def test_what_is_long_past_is_forgotten_and_read_again_for_a_late_reading():
    stream = blog_stream()
    days = (LOOK_BACK + 2 * KEPT).days + 20
    rows = hourly(START, [150] * 24 * days)
    for part in batches_of(rows, range(240, 24 * days, 240)):
        stream.take(part)
    held = stream.memory.history.of("m").instants
    assert pd.Timedelta(int(held[-1] - held[0])) <= LOOK_BACK + 2 * KEPT
    assert not stream.asked
    late = stream.take(hourly(on_day(1), [500]))
    assert stream.asked == [("m", (on_day(1) - LOOK_BACK).value, int(held[0]))]
    assert told(late) == [(24, "told")]
    assert late.scored == 24 * (days - 1)


def test_a_late_reading_with_an_empty_past_is_judged_all_the_same():
    stream = blog_stream()
    stream.memory.floor = on_day(40).value
    stream.memory.past = lambda *span: pd.DataFrame(columns=["meter", "event_time", "value"])
    stream.take(hourly(on_day(80), [150, 500]))
    assert told(stream.take(hourly(on_day(9), [500]))) == [(9 * 24, "told")]


def test_readings_off_the_grid_are_judged_alike_in_any_batches(frame, judges):
    rows = frame[frame["meter"] == "m"].iloc[:-24]
    extra = rows.iloc[-60:].assign(value=lambda r: r["value"] * 2.5)
    extra["event_time"] += pd.Timedelta(minutes=7)
    rows = pd.concat([rows, extra]).sort_values("event_time", ignore_index=True)
    stream = Stream(judges)
    for batch in batches_of(rows, [len(rows) - n for n in (110, 75, 74, 31)]):
        stream.take(batch)
    assert_same(stream.stands(), find_anomalies(rows, judges, REGISTRY).anomalies)


@pytest.mark.parametrize("back", [3, 25])
def test_a_correction_is_known_to_the_readings_that_come_one_by_one_after_it(
    begun, coming, judges, back
):
    rows = coming[coming["meter"] == "m"].iloc[:150]
    wrong = rows.iloc[140 - back : 141 - back].assign(value=2500.0)
    odd = rows.iloc[140:].assign(value=rows["value"].iloc[140:] * 2.5)
    stream = begun.copy()
    for batch in [
        *batches_of(rows.iloc[:140], range(130, 140)),
        wrong,
        *batches_of(odd, range(10)),
    ]:
        stream.take(batch)
    final = pd.concat(stream.consumed).drop_duplicates(["meter", "event_time"], keep="last")
    assert_same(stream.stands(), find_anomalies(final, judges, REGISTRY).anomalies)
