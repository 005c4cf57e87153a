import json
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.anomalies.gap_messages import gap_events, reportable_gaps
from usage_platform.core.load.month import Month, profile
from usage_platform.core.meters import Meter
from usage_platform.core.readings.gaps import Gap, find_gaps
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar

MINUTE = 60 * 10**9
METER = Meter("m", "America/New_York", 15)
MONTH = Month(date(2024, 3, 1))
START = MONTH.bounds(METER)[0].value
STEP = 15 * MINUTE
SIZE = 60


def at(*steps):
    return START + np.array(steps, dtype=np.int64) * STEP


def gap(first, missing):
    return Gap(START + first * STEP, START + (first + missing) * STEP, missing)


def test_a_gap_reaches_from_the_first_missing_interval_to_the_next_reading():
    assert find_gaps(at(0, 3, 4, 6), 15) == [gap(1, 2), gap(5, 1)]


def test_readings_may_be_expected_before_the_first_one():
    assert find_gaps(at(2, 3), 15) == []
    assert find_gaps(at(2, 3), 15, START) == [gap(0, 2)]


def test_a_gap_that_began_before_the_first_expected_reading_is_counted_from_there():
    assert find_gaps(at(-4, 2), 15) == [gap(-3, 5)]
    assert find_gaps(at(-4, 2), 15, START) == [gap(0, 2)]


def test_a_reading_off_the_grid_leaves_whole_intervals_missing():
    instants = np.append(at(0), at(3) + 4 * MINUTE)
    assert find_gaps(instants, 15) == [gap(1, 2)]


@pytest.mark.parametrize("since", [None, START])
def test_without_readings_there_are_no_gaps(since):
    assert find_gaps(at(), 15, since) == []


positions = st.sets(st.integers(0, SIZE - 1), min_size=1)


@given(positions)
def test_gaps_hold_every_interval_without_a_reading_up_to_the_last_one(steps):
    instants = at(*sorted(steps))
    inside = [
        interval
        for one in find_gaps(instants, 15, START)
        for interval in range(one.start, one.end, STEP)
    ]
    assert inside == at(*(step for step in range(max(steps)) if step not in steps)).tolist()


@given(positions)
def test_report_and_messages_name_the_gaps_that_the_one_rule_finds(steps):
    instants = at(-1, *sorted(steps))
    found = find_gaps(instants, 15)
    report = profile(Series(instants, np.ones(len(instants))), MONTH, METER, Calendar())
    assert report.gaps == found
    events = gap_events(reportable_gaps(instants, START, METER), METER)
    told = [json.loads(event.value) for event in events]
    assert [(pd.Timestamp(e["start"]).value, pd.Timestamp(e["end"]).value) for e in told] == [
        (one.start, one.end) for one in found if one.missing >= 2
    ]
