from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.detector.schedule import due, judges_from, next_model_from

ZONE = "America/New_York"
MONDAY = date(2024, 1, 1)
DAY = timedelta(days=1)
days = st.integers(0, 400).map(lambda n: MONDAY + n * DAY)


def utc(text):
    return pd.Timestamp(text, tz="UTC")


def test_the_first_model_judges_from_the_first_reading_and_the_others_end_before_mondays():
    assert due(date(2024, 1, 3), date(2024, 1, 15), None) == [
        date(2024, 1, 2),
        date(2024, 1, 8),
        date(2024, 1, 15),
    ]


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        (date(2024, 1, 14), []),
        (date(2024, 1, 15), [date(2024, 1, 15)]),
        (date(2024, 1, 22), [date(2024, 1, 15), date(2024, 1, 22)]),
    ],
)
def test_a_model_is_due_as_soon_as_there_are_readings_of_its_monday(newest, expected):
    assert due(date(2024, 1, 3), newest, date(2024, 1, 8)) == expected


def test_after_a_model_that_ended_in_the_middle_of_a_week_the_next_monday_is_due():
    assert due(MONDAY, date(2024, 1, 16), date(2024, 1, 10)) == [date(2024, 1, 15)]


@given(days, st.lists(st.integers(0, 30), max_size=5))
def test_asking_often_gives_the_same_models_as_asking_once(first, steps):
    newest, trained, found = first, None, []
    for step in steps:
        newest += step * DAY
        found += due(first, newest, trained)
        trained = found[-1]
    assert found == (due(first, newest, None) if steps else [])


@given(days, st.integers(0, 60))
def test_each_model_judges_until_the_next_one_is_due(first, length):
    untils = due(first, first + length * DAY, None)
    begins = [judges_from(until, ZONE) for until in untils]
    assert begins[0].tz_convert(ZONE).date() == first
    assert [next_model_from(begin, ZONE) for begin in begins[:-1]] == begins[1:]
    # Readings that wait for a model make it due.
    waiting = next_model_from(begins[-1], ZONE).tz_convert(ZONE).date()
    assert due(first, waiting, untils[-1])


@pytest.mark.parametrize(
    ("until", "begin", "after"),
    [
        (date(2024, 3, 4), "2024-03-05T05:00", "2024-03-12T04:00"),
        (date(2024, 3, 9), "2024-03-10T05:00", "2024-03-12T04:00"),
        (date(2024, 3, 10), "2024-03-11T04:00", "2024-03-12T04:00"),
        (date(2024, 10, 28), "2024-10-29T04:00", "2024-11-05T05:00"),
        (date(2024, 11, 2), "2024-11-03T04:00", "2024-11-05T05:00"),
        (date(2024, 11, 3), "2024-11-04T05:00", "2024-11-05T05:00"),
    ],
)
def test_models_change_at_local_midnight_when_the_clocks_change_too(until, begin, after):
    assert judges_from(until, ZONE) == utc(begin)
    assert next_model_from(utc(begin), ZONE) == utc(after)
