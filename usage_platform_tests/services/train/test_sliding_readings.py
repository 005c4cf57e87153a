from copy import deepcopy
from datetime import timedelta

import numpy as np
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.core.detector.options import Method
from usage_platform.services import sliding_readings
from usage_platform.services.sliding_readings import SlidingReadings
from usage_platform_tests.services.train.library_meters import FIRST, METERS

ONE, OTHER = METERS[:2], METERS[2:4]
WEEK = timedelta(days=7)
UNTIL = FIRST + 4 * WEEK


@pytest.fixture
def read(monkeypatch) -> list:
    """From when and until when readings were read, and of which meters."""
    asked, rows = [], LakeReader.rows

    def noted(self, table, columns=None, first=None, last=None, meters=None):
        asked.append((first, last, meters))
        return rows(self, table, columns, first, last, meters)

    monkeypatch.setattr(LakeReader, "rows", noted)
    return asked


def sliding(reader) -> SlidingReadings:
    return SlidingReadings(reader, Method.FOREST)


def assert_same(found, expected):
    assert found.meters() == expected.meters()
    for name in found.meters():
        np.testing.assert_array_equal(found.of(name).instants, expected.of(name).instants)
        np.testing.assert_array_equal(found.of(name).values, expected.of(name).values)


def days_read(read) -> list[int]:
    return [(last - first).days for first, last, _ in read]


def test_a_process_that_has_the_week_before_reads_the_new_days(reader, read):
    weeks = [UNTIL + number * WEEK for number in range(3)]
    asked = [(until, names) for until in weeks for names in (ONE, OTHER)]
    expected = [sliding(reader).until(*one) for one in asked]
    read.clear()
    readings = sliding(reader)
    for one, history in zip(asked, expected, strict=True):
        # Each task of a shared training brings a copy of its own.
        assert_same(deepcopy(readings).until(*one), history)
    assert days_read(read)[2:] == [7] * 4
    assert min(days_read(read)[:2]) > 7


def test_what_was_not_used_for_longest_makes_room(reader, read, monkeypatch):
    monkeypatch.setattr(sliding_readings, "KEPT_READINGS", 1)
    readings = sliding(reader)
    for names in (ONE, OTHER, ONE):
        readings.until(UNTIL, names)
    assert len(set(days_read(read))) == 1
    assert [key[1] for key in sliding_readings._kept] == [ONE]


@pytest.mark.parametrize("until", [UNTIL - WEEK, UNTIL])
def test_an_earlier_week_and_another_training_read_again(until, reader, read):
    expected = sliding(reader).until(until, ONE)
    readings = sliding(reader)
    readings.until(UNTIL + WEEK, ONE)
    assert_same(readings.until(until, ONE), expected)
    assert_same(sliding(reader).until(until, ONE), expected)
    assert len(set(days_read(read))) == 1
