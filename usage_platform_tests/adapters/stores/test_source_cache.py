"""The loaded source: kept as it was, and known only once it is whole."""

import json

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles, load_meters
from usage_platform.adapters.stores.source_cache import SourceCache, SourceSummary
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import BadRow, SourceReadings

DEFAULT = Meter("library")
HOURLY = Meter("hourly", "Europe/Rome", 60)


def loaded(count, faults=None):
    times = pd.date_range("2024-03-05T13:00:00Z", periods=count, freq="5min", unit="ns")
    frame = pd.DataFrame({"meter": "hourly", "ts": times, "value": [n / 7 for n in range(count)]})
    bad = (BadRow("f.csv", 3, "value", "x", "is no number"),)
    return SourceReadings(frame, (HOURLY,), bad, 2, faults)


@pytest.fixture
def files(lake) -> LakeFiles:
    return LakeFiles(lake.assets)


def test_readings_come_back_as_they_were_loaded(files):
    cache = SourceCache(files)
    summary = cache.save("csv f.csv", loaded(5), DEFAULT)
    assert summary == SourceSummary("csv f.csv", 5, 2, 1, {"hourly": "2024-03-05T13:20:00+00:00"})
    assert SourceCache(files).summary() == summary
    pd.testing.assert_frame_equal(SourceCache(files).readings(), loaded(5).frame)
    assert cache.faults().empty


def test_its_meters_become_known(files):
    SourceCache(files).save("csv f.csv", loaded(5), DEFAULT)
    assert load_meters(files, DEFAULT).get("hourly") == HOURLY


def test_another_load_takes_the_place_of_the_one_before(files):
    cache = SourceCache(files)
    faults = pd.DataFrame({"meter": ["hourly"], "kind": ["spike"]})
    cache.save("generated", loaded(5, faults), DEFAULT)
    pd.testing.assert_frame_equal(cache.faults(), faults)
    cache.save("csv f.csv", loaded(3), DEFAULT)
    assert len(cache.readings()) == 3
    assert cache.faults().empty


def test_rows_that_could_not_be_read_are_kept_with_their_numbers(files):
    SourceCache(files).save("csv f.csv", loaded(1), DEFAULT)
    (row,) = json.loads(files.read_text("source_readings/bad_rows.json"))
    assert (row["file"], row["row"], row["reason"]) == ("f.csv", 3, "is no number")


def test_before_the_first_load_there_is_nothing_and_playing_says_so(files):
    cache = SourceCache(files)
    assert cache.summary() is None
    with pytest.raises(FileNotFoundError, match="materialize source_readings first"):
        cache.readings()


def test_a_source_without_readings_can_be_kept_too(files):
    cache = SourceCache(files)
    assert cache.save("csv empty.csv", loaded(0), DEFAULT).last == {}
    assert cache.readings().empty
