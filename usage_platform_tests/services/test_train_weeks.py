"""Training on the table: the right window, the same model again, nothing learned that must not."""

from datetime import UTC, date, datetime, timedelta
from itertools import count

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.baseline.slot_forests import MAX_HISTORY_DAYS, train_slot_forests
from usage_platform.core.detector.gate import WEEKS, Examined
from usage_platform.core.detector.manifest import model_version
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.model_draft import history_days
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.train import HISTORY_DAYS
from usage_platform.core.detector.train import train as train_detector
from usage_platform.core.feedback.labels import LABEL_COLUMNS, NO_LABELS, Verdict
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.train_weeks import TrainingError, TrainingRequest, train_weeks
from usage_platform_tests.core.detector.series import HOURLY, NO_CALENDAR, library

REGISTRY = MeterRegistry(HOURLY)
ZONE = HOURLY.timezone
NOW = datetime(2024, 5, 1, tzinfo=UTC)
INSTANTS, VALUES = library(days=84)
FIRST = date(2024, 1, 1)
UNTIL = date(2024, 3, 12)
END = pd.Timestamp("2024-03-12T04:00:00Z")
"""Midnight in Boston, two days after the clock went forward."""

BLOG, FAST = (TrainingOptions(method=method) for method in (Method.BLOG, Method.ROBUST_Z))


def readings(meter="m", instants=INSTANTS, values=VALUES):
    times = pd.DatetimeIndex(instants).tz_localize("UTC")
    frame = pd.DataFrame({"meter": meter, "event_time": times, "value": values})
    return frame.assign(event_date=frame["event_time"].dt.date)


@pytest.fixture
def reader(lake, write_table) -> LakeReader:
    write_table(lake, READINGS, readings())
    return LakeReader(lake)


def labels(*rows):
    return pd.DataFrame(rows, columns=LABEL_COLUMNS).astype(NO_LABELS.dtypes.to_dict())


@pytest.fixture
def new_store(tmp_path):
    """Makes empty stores."""
    numbers = count()
    return lambda: ModelStore(LakeFiles(str(tmp_path / f"models{next(numbers)}")))


@pytest.fixture
def train_all(new_store):
    """Trains weeks with a store of their own, in which a model before them is promoted."""

    def train_all(reader, untils, options, before=None, meters=(), labels=NO_LABELS):
        store = new_store()
        if before is not None:
            store.save(before)
            store.promote([before.manifest.version])
        request = TrainingRequest(untils, options, meters)
        weeks = train_weeks(store, reader, REGISTRY, labels, request, NOW, lambda text: None)
        return [(store.load(week.version), week.examined) for week in weeks]

    return train_all


@pytest.fixture
def train(train_all):
    def train(reader, until, options, *given, **more):
        [(model, _)] = train_all(reader, [until], options, *given, **more)
        return model

    return train


def by_content(detectors):
    return model_version(NOW, detectors)


def test_the_blogs_forests_see_their_window_and_judge_from_the_day_after_it(train, reader):
    model = train(reader, UNTIL, BLOG)
    start = END - pd.Timedelta(days=MAX_HISTORY_DAYS)
    rows = readings()
    seen = rows[(rows["event_time"] >= start) & (rows["event_time"] < END)]
    expected = {"m": train_slot_forests(seen, HOURLY, lambda done, total: None)}
    assert by_content(model.detectors) == by_content(expected)
    manifest = model.manifest
    assert (manifest.window_start, manifest.window_end) == (start.isoformat(), END.isoformat())
    assert manifest.begin == pd.Timestamp("2024-03-13T04:00:00Z")
    assert manifest.version == model_version(manifest.begin, expected)
    assert (manifest.readings, manifest.left_out) == (len(seen), 0)
    assert (manifest.meters, manifest.meters_learning) == (1, 0)
    assert manifest.slots_trained + manifest.slots_thin == 168
    assert manifest.data_version == reader.state(READINGS).version == 0
    assert manifest.trained_at == NOW.isoformat()
    assert (manifest.method, manifest.false_alarms_per_week) == ("blog", None)


def test_the_detector_learns_what_was_read_before_its_end_by_the_options(train, reader):
    options = TrainingOptions(NO_CALENDAR, Method.FOREST, 0.25, 0.1)
    model = train(reader, UNTIL, options)
    expected = train_detector(INSTANTS, VALUES, HOURLY, options, END.value)
    assert by_content(model.detectors) == by_content({"m": expected})
    manifest = model.manifest
    assert manifest.readings == int((END.value > INSTANTS).sum())
    assert manifest.window_start == (END - pd.Timedelta(days=HISTORY_DAYS)).isoformat()
    assert (manifest.slots_trained, manifest.meters_learning) == (168, 0)
    assert (manifest.method, manifest.false_alarms_per_week) == ("forest", 0.25)


@pytest.mark.parametrize(
    ("until", "end", "begin"),
    [
        (date(2024, 3, 9), "2024-03-09T05:00Z", "2024-03-10T05:00Z"),
        (date(2024, 3, 10), "2024-03-10T05:00Z", "2024-03-11T04:00Z"),
        (date(2024, 11, 2), "2024-11-02T04:00Z", "2024-11-03T04:00Z"),
        (date(2024, 11, 3), "2024-11-03T04:00Z", "2024-11-04T05:00Z"),
    ],
)
def test_days_are_local_also_when_the_clock_changes(train, reader, until, end, begin):
    manifest = train(reader, until, FAST).manifest
    assert (manifest.end, manifest.begin) == (pd.Timestamp(end), pd.Timestamp(begin))


def test_the_same_readings_give_the_same_version_and_others_another(
    train, lake, write_table, reader
):
    before = train(reader, UNTIL, FAST)
    assert train(reader, UNTIL, FAST).manifest.version == before.manifest.version
    assert train(reader, UNTIL, BLOG).manifest.version != before.manifest.version
    write_table(lake, READINGS, readings("n"))
    both = train(reader, UNTIL, FAST)
    assert both.manifest.version != before.manifest.version
    assert both.manifest.meters == len(both.detectors) == 2
    assert by_content({"m": both.detectors["m"]}) == by_content(before.detectors)


@pytest.mark.parametrize("options", [BLOG, FAST], ids=["blog", "detector"])
def test_readings_that_were_odd_or_planned_are_not_learned_from_and_false_alarms_are(
    train, lake, write_table, options
):
    tenth, twentieth = (END - pd.Timedelta(days=n) for n in (10, 20))
    odd = (tenth, tenth + pd.Timedelta(hours=5), Verdict.TRUE.value, "")
    planned = (twentieth, twentieth + pd.Timedelta(hours=3), Verdict.PLANNED.value, "")
    said = labels(
        ("m", *odd),
        ("m", *planned),
        ("m", END - pd.Timedelta(days=5), END, Verdict.FALSE.value, ""),
        ("other", tenth - pd.Timedelta(days=3), tenth, Verdict.TRUE.value, ""),
    )
    rows = readings()
    out = np.zeros(len(rows), dtype=bool)
    for begin, stop in (odd[:2], planned[:2]):
        out |= (rows["event_time"] >= begin).to_numpy() & (rows["event_time"] < stop).to_numpy()
    # What they read must not matter.
    write_table(lake, READINGS, readings(values=np.where(out, 9_999.0, VALUES)))
    got = train(LakeReader(lake), UNTIL, options, labels=said)
    assert (got.manifest.left_out, out.sum()) == (8, 8)
    start = END - pd.Timedelta(days=history_days(options.method))
    seen = ((rows["event_time"] >= start) & (rows["event_time"] < END)).to_numpy()
    assert got.manifest.readings == seen.sum()
    if options is BLOG:
        expected = train_slot_forests(rows[~out & seen], HOURLY, lambda done, total: None)
    else:
        expected = train_detector(
            INSTANTS, np.where(out, np.nan, VALUES), HOURLY, options, END.value
        )
    assert by_content(got.detectors) == by_content({"m": expected})


def test_only_the_chosen_meters_are_trained_and_the_others_keep_theirs(
    train, lake, write_table, reader
):
    write_table(lake, READINGS, readings("n"))
    before = train(reader, UNTIL - timedelta(days=14), FAST)
    after = train(reader, UNTIL, FAST, before, meters=("m",))
    kept, trained = ([of.detectors[name] for of in (before, after)] for name in ("n", "m"))
    assert by_content({"n": kept[0]}) == by_content({"n": kept[1]})
    assert by_content({"m": trained[0]}) != by_content({"m": trained[1]})
    assert isinstance(after.detectors["m"], DetectorModel)
    assert after.detectors["m"].until == END.value
    assert after.manifest.meters == 2
    assert after.manifest.readings == int((END.value > INSTANTS).sum())
    assert list(train(reader, UNTIL, FAST, meters=("m",)).detectors) == ["m"]
    assert by_content(train(reader, UNTIL, FAST, before).detectors) == by_content(
        train(reader, UNTIL, FAST).detectors
    )


def test_a_meter_without_a_reading_is_one_line_with_its_name(train, reader):
    with pytest.raises(TrainingError, match=r"^readings: nothing of w, x in the history$"):
        train(reader, UNTIL, FAST, meters=("x", "m", "w"))


def test_several_models_are_those_that_would_be_trained_one_by_one(train, train_all, reader):
    untils = [UNTIL - timedelta(days=7), UNTIL]
    models = [model for model, _ in train_all(reader, untils, FAST)]
    assert [m.manifest.end for m in models] == [END - pd.Timedelta(days=7, hours=-1), END]
    alone = [train(reader, until, FAST).manifest for until in untils]
    assert [m.manifest for m in models] == alone


def test_a_model_is_compared_with_the_one_before_where_both_know_what_to_expect(
    train, train_all, reader
):
    untils = [FIRST + timedelta(days=14), UNTIL - timedelta(days=7), UNTIL]
    examined = [examined for _, examined in train_all(reader, untils, TrainingOptions())]
    assert examined[:2] == [Examined(), Examined()]
    assert examined[0].is_fit
    assert examined[2].weeks == WEEKS
    assert examined[2].faults > 0
    assert examined[2].found > 0
    assert (
        train_all(reader, [UNTIL], BLOG, train(reader, UNTIL - timedelta(7), BLOG))[0][1]
        == Examined()
    )


def test_a_model_that_is_not_fit_is_not_what_the_next_one_is_compared_with(
    train_all, reader, monkeypatch
):
    compared = []

    def never_fit(new, old, instants, values):
        compared.append((new.until, old.until))
        return Examined(weeks=WEEKS, alarm_days=99)

    monkeypatch.setattr("usage_platform.core.detector.training.examine", never_fit)
    untils = [UNTIL - timedelta(days=14), UNTIL - timedelta(days=7), UNTIL]
    trained = train_all(reader, untils, FAST)
    ends = [model.manifest.end.value for model, _ in trained]
    assert compared == [(ends[1], ends[0]), (ends[2], ends[0])]


def test_the_first_model_of_all_knows_the_meters_and_judges_from_the_first_day(train, reader):
    model = train(reader, FIRST - timedelta(days=1), FAST)
    assert model.manifest.begin.value == INSTANTS[0]
    manifest = model.manifest
    assert (manifest.readings, manifest.meters, manifest.meters_learning) == (0, 1, 1)
    assert (manifest.slots_trained, manifest.slots_thin) == (0, 168)
    detector = model.detectors["m"]
    assert isinstance(detector, DetectorModel)
    assert detector.baseline is None


def test_progress_is_reported_for_each_bucket_and_end(new_store, lake, write_table, reader):
    write_table(lake, READINGS, readings("n"))
    told = []
    untils = [FIRST, FIRST + timedelta(days=7)]
    request = TrainingRequest(untils, FAST)
    list(train_weeks(new_store(), reader, REGISTRY, NO_LABELS, request, NOW, told.append))
    assert told == [f"until {until}: 2 of 2 meters" for until in untils]


def test_before_the_table_is_there_training_says_so_in_one_line(train, lake):
    with pytest.raises(LakeError, match=r"^readings: no such table yet; no micro-batch has run$"):
        train(LakeReader(lake), UNTIL, FAST)
