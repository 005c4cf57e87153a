"""A meter is silent when nothing came for longer than is usual for it; history never is."""

from itertools import pairwise

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.anomalies.silence import SilenceWatch
from usage_platform.core.meters import Meter, MeterRegistry

REGISTRY = MeterRegistry(Meter("m", "UTC", 5))
START = pd.Timestamp("2026-03-02T00:00Z")
MINUTE = pd.Timedelta(minutes=1)
HOUR = pd.Timedelta(hours=1)
DAY = pd.Timedelta(days=1)
FIVE = 5 * MINUTE


def arrivals(times, delay=2 * MINUTE, meter="m"):
    """Readings of intervals that start at these times, and arrive a while after their ends."""
    times = pd.DatetimeIndex(times).as_unit("ns")
    return pd.DataFrame({"meter": meter, "event_time": times, "kafka_time": times + FIVE + delay})


def every(step, begin, end):
    return pd.date_range(begin, end, freq=step, inclusive="left")


class Watched:
    """A watch with a clock, which looks each minute."""

    def __init__(self, least=15 * MINUTE, registry=REGISTRY):
        self.watch, self.least, self.registry = SilenceWatch(), least, registry
        self.asked = 0

    def add(self, *parts):
        self.watch.add(pd.concat(parts, ignore_index=True), self.registry)

    def check(self, at, ends=None):
        def played_to():
            self.asked += 1
            return ends or {}

        found = self.watch.check(at.value, self.least.value, self.registry, played_to)
        for one in found:
            self.watch.note_published(one.meter, one.start)
        return [(one.meter, pd.Timestamp(one.start, tz="UTC")) for one in found]

    def live(self, parts, until, ends=None):
        """Add each reading when it arrives, and look each minute; what is found, and when."""
        rows = pd.concat(parts, ignore_index=True).sort_values("kafka_time", ignore_index=True)
        found = []
        arrived = rows["kafka_time"].to_numpy("datetime64[ns]").astype(np.int64)
        added = 0
        for now in every(MINUTE, rows["kafka_time"].iloc[0], until):
            upto = int(np.searchsorted(arrived, now.value, side="right"))
            if upto > added:
                self.add(rows.iloc[added:upto])
                added = upto
            found += [(*one, now) for one in self.check(now, ends)]
        return found


def test_a_meter_that_stops_is_silent_once_after_three_intervals():
    last = START + HOUR - FIVE
    found = Watched().live([arrivals(every("5min", START, START + HOUR))], START + 5 * HOUR)
    ((meter, start, at),) = found
    assert (meter, start) == ("m", last + FIVE)
    assert at - (last + FIVE + 2 * MINUTE) == 15 * MINUTE


def test_a_pause_that_is_usual_is_no_silence_and_a_longer_one_is():
    """It sleeps each night."""
    days = [
        every("5min", START + n * DAY + 6 * HOUR, START + n * DAY + 20 * HOUR) for n in range(9)
    ]
    parts = [arrivals(day) for day in days]
    found = Watched().live(parts, START + 10 * DAY)
    nights = [start - START for _, start, _ in found]
    # The first three nights teach it; then it dies in the ninth.
    assert nights == [n * DAY + 20 * HOUR for n in (0, 1, 2, 8)]
    ended = START + 8 * DAY + 20 * HOUR + 2 * MINUTE
    assert 10 * HOUR < found[-1][2] - ended <= 1.5 * (10 * HOUR + FIVE) + MINUTE


def test_two_long_outages_in_a_month_do_not_make_the_third_one_usual():
    spans = [(0, 20), (30, 80), (90, 140)]
    parts = [arrivals(every("5min", START + a * HOUR, START + b * HOUR)) for a, b in spans]
    found = Watched().live(parts, START + 150 * HOUR)
    assert [start - START for _, start, _ in found] == [20 * HOUR, 80 * HOUR, 140 * HOUR]


def test_a_meter_that_delivers_once_a_day_is_silent_when_a_delivery_is_missing():
    def delivery(day):
        times = every("5min", START + day * DAY, START + (day + 1) * DAY)
        rows = arrivals(times)
        return rows.assign(kafka_time=START + (day + 1) * DAY + 8 * HOUR)

    found = Watched().live([delivery(day) for day in range(6)], START + 10 * DAY)
    ((_, start, at),) = found
    assert start == START + 6 * DAY
    assert DAY < at - (START + 6 * DAY + 8 * HOUR) <= 1.5 * DAY + MINUTE


def played(readings, begin, seconds_each):
    """Readings that a playback publishes one after the other from an instant on."""
    at = begin + pd.to_timedelta(np.arange(len(readings)) * seconds_each, unit="s")
    return readings.assign(kafka_time=pd.DatetimeIndex(at).as_unit("ns"))


def test_the_end_of_a_playback_of_history_is_no_silence_at_any_speed():
    history = arrivals(every("5min", START - 400 * DAY, START - 399 * DAY))
    for seconds in (0, 0.1, 1, 60, 300):
        rows = played(history, START, seconds)
        watched = Watched()
        assert watched.live([rows], rows["kafka_time"].max() + 5 * DAY) == []
        assert watched.asked == 0


def test_a_fast_playback_that_ends_with_the_readings_of_today_is_no_silence():
    history = arrivals(every("5min", START - 30 * DAY, START - HOUR))
    rows = played(history, START, 1)
    assert Watched().live([rows], START + 3 * DAY) == []


def test_a_playback_in_real_time_is_no_silence_where_its_source_ends():
    recent = arrivals(every("5min", START - DAY, START))
    rows = played(recent, START, 300)
    end = {"m": recent["event_time"].max().value}
    until = rows["kafka_time"].max() + DAY
    assert Watched().live([rows], until, end) == []
    assert len(Watched().live([rows], until, {})) == 1


def test_after_a_load_of_history_live_readings_are_expected_again():
    history = played(arrivals(every("5min", START - 30 * DAY, START)), START + FIVE, 0)
    live = arrivals(every("5min", START + FIVE, START + 2 * HOUR))
    ((_, start, _),) = Watched().live([history, live], START + DAY)
    assert start == START + 2 * HOUR


def test_late_and_repeated_readings_are_no_sign_of_life():
    times = every("5min", START, START + HOUR)
    late = arrivals(times[:3]).assign(kafka_time=START + HOUR + 15 * MINUTE)
    ((_, start, _),) = Watched().live([arrivals(times), late], START + 2 * HOUR)
    assert start == START + HOUR


def test_a_meter_that_returns_can_fall_silent_again():
    spans = [(0, 2), (4, 6)]
    parts = [arrivals(every("5min", START + a * HOUR, START + b * HOUR)) for a, b in spans]
    found = Watched().live(parts, START + 9 * HOUR)
    assert [start - START for _, start, _ in found] == [2 * HOUR, 6 * HOUR]


def test_a_silence_that_was_published_is_not_found_again_by_a_scorer_that_starts():
    rows = arrivals(every("5min", START, START + HOUR))
    watched = Watched()
    ((meter, start, at),) = watched.live([rows], START + 3 * HOUR)
    other = Watched()
    other.watch.note_published(meter, start.value)
    other.add(rows)
    assert [other.check(at + n * MINUTE) for n in range(120)] == [[]] * 120


def test_after_a_break_every_meter_gets_time_to_deliver_first():
    watched = Watched()
    watched.add(arrivals(every("5min", START, START + HOUR)))
    back = START + 6 * HOUR
    for minutes in range(15):
        assert watched.check(back + minutes * MINUTE) == []
    assert len(watched.check(back + 15 * MINUTE)) == 1
    # A clock that jumps is a break too.
    watched.add(arrivals(every("5min", back, back + HOUR)))
    assert watched.check(back + DAY) == []
    assert watched.check(back - DAY) == []


def test_a_setting_and_the_interval_bound_the_pause_from_below():
    hourly = MeterRegistry(Meter("m", "UTC", 60))
    rows = arrivals(every("1h", START, START + DAY))
    last = rows["kafka_time"].max()
    ((_, _, at),) = Watched(registry=hourly).live([rows], START + 3 * DAY)
    assert at - last == 3 * HOUR
    rows = arrivals(every("5min", START, START + DAY))
    ((_, _, at),) = Watched(least=HOUR).live([rows], START + 3 * DAY)
    assert at - rows["kafka_time"].max() == HOUR


@given(
    st.lists(st.integers(0, 200), min_size=1, max_size=60, unique=True),
    st.lists(st.integers(0, 60), max_size=3),
    st.randoms(use_true_random=False),
)
def test_what_is_found_does_not_depend_on_the_batches_or_their_order(steps, cuts, random):
    rows = arrivals([START + step * FIVE for step in sorted(steps)])
    whole, parted = Watched(), Watched()
    whole.add(rows.sample(frac=1, random_state=random.randrange(2**32)))
    bounds = [0, *sorted(min(cut, len(rows)) for cut in cuts), len(rows)]
    for first, end in pairwise(bounds):
        parted.add(rows.iloc[first:end])
    begin = rows["kafka_time"].max()
    for minutes in range(0, 60 * 40, 4):
        now = begin + minutes * MINUTE
        assert whole.check(now) == parted.check(now)


def test_a_check_asks_only_for_meters_whose_pause_may_be_too_long(monkeypatch):
    names = [f"m{n}" for n in range(200)]
    watched = Watched()
    times = every("5min", START, START + DAY)
    watched.add(*(arrivals(times, meter=name) for name in names))
    now = START + DAY + 5 * MINUTE
    watched.check(now)
    asked = []
    monkeypatch.setattr(MeterRegistry, "get", lambda self, name: asked.append(name) or Meter(name))
    for minutes in range(10):
        watched.check(now + minutes * MINUTE)
    assert asked == []
