"""Training on the table: the right window, the same model again, one line where it cannot be."""

from datetime import UTC, date, datetime

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake_reader import LakeError, LakeReader
from usage_platform.adapters.lake_tables import READINGS
from usage_platform.adapters.training import TrainingError, history_span, train_model
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.slot_forests import train_slot_forests

REGISTRY = MeterRegistry(Meter("a", "America/New_York", 60))
NOW = datetime(2024, 5, 1, tzinfo=UTC)
# Midnight in Boston, before and after the clock goes forward.
START, END = pd.Timestamp("2024-02-05T05:00:00Z"), pd.Timestamp("2024-03-25T04:00:00Z")


def readings(meter="a"):
    times = pd.date_range(START, END, freq="h", unit="ns", inclusive="left")
    values = np.random.default_rng(1).random(len(times))
    frame = pd.DataFrame({"meter": meter, "event_time": times, "value": values})
    return frame.assign(event_date=frame["event_time"].dt.date)


@pytest.fixture
def reader(lake, write_table) -> LakeReader:
    write_table(lake, READINGS, readings())
    return LakeReader(lake)


def train(reader, until=None, **options):
    return train_model(reader, REGISTRY, until, NOW, lambda meter, done, total: None, **options)


def test_the_window_ends_before_the_local_day_and_the_model_judges_from_there(reader):
    model = train(reader, date(2024, 3, 12), max_history_days=28)
    window = (pd.Timestamp("2024-02-13T04:00:00Z"), pd.Timestamp("2024-03-12T04:00:00Z"))
    manifest = model.manifest
    assert (manifest.window_start, manifest.window_end) == tuple(w.isoformat() for w in window)
    assert manifest.judges_from == window[1]
    rows = readings()
    seen = rows[(rows["event_time"] >= window[0]) & (rows["event_time"] < window[1])]
    assert manifest.readings == len(seen)
    expected = train_slot_forests(seen, REGISTRY.default, lambda done, total: None)
    np.testing.assert_array_equal(model.forests["a"].scores, expected.scores)
    np.testing.assert_array_equal(model.forests["a"].cuts, expected.cuts)


def test_by_default_it_learns_from_all_whole_days_there_are(reader):
    manifest = train(reader).manifest
    assert manifest.window_end == END.isoformat()
    assert manifest.readings == len(readings())
    assert manifest.slots_trained + manifest.slots_thin == 168
    assert manifest.data_version == reader.state(READINGS).version == 0
    assert manifest.trained_at == NOW.isoformat()


def test_the_same_readings_give_the_same_version_and_others_another(lake, write_table, reader):
    before = train(reader, date(2024, 3, 12)).manifest.version
    write_table(lake, READINGS, readings("b"))
    assert train(reader, date(2024, 3, 12)).manifest.version != before
    both = train(reader, date(2024, 3, 12))
    assert both.manifest.version == train(reader, date(2024, 3, 12)).manifest.version
    assert both.manifest.meters == len(both.forests) == 2


def test_progress_is_told_of_each_meter_to_its_end(reader):
    told = []
    train_model(reader, REGISTRY, None, NOW, lambda *args: told.append(args))
    assert told[-1] == ("a", 168, 168)


def test_nothing_to_train_on_is_one_line_with_what_to_do(reader):
    with pytest.raises(TrainingError) as caught:
        train(reader, date(2020, 1, 1))
    message = str(caught.value)
    assert message.startswith("readings: nothing from 2019-10-23 to 2020-01-01 to train on; ")
    assert "\n" not in message


def test_a_table_without_a_reading_or_none_at_all_is_one_line_too(lake, write_table):
    with pytest.raises((TrainingError, LakeError), match=r"^readings: "):
        train(LakeReader(lake))
    write_table(lake, READINGS, readings()[:0])
    with pytest.raises(TrainingError, match=r"^readings: the table is empty; play some"):
        train(LakeReader(lake))


def test_the_span_is_from_the_oldest_to_the_newest_reading(lake, write_table):
    assert history_span(LakeReader(lake)) is None
    write_table(lake, READINGS, readings()[:0])
    assert history_span(LakeReader(lake)) is None
    write_table(lake, READINGS, readings())
    assert history_span(LakeReader(lake)) == (START, END - pd.Timedelta(hours=1))
