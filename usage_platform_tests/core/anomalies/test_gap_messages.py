import json

import numpy as np

from usage_platform.core.anomalies.gap_messages import gap_events, reportable_gaps
from usage_platform.core.meters import Meter

METER = Meter("a", "America/New_York", 5)
MINUTE = 60 * 10**9
NOON = 1_709_899_200 * 10**9  # 2024-03-08T12:00Z


def instants(*minutes):
    return NOON + np.array(minutes, dtype=np.int64) * MINUTE


def said(*minutes, start=NOON):
    gaps = reportable_gaps(instants(*minutes), start, METER)
    return [json.loads(event.value) for event in gap_events(gaps, METER)]


def test_one_or_two_missing_readings_are_not_told():
    assert said(0, 5, 15, 30, 35) == []


def test_a_gap_is_told_in_local_time_once_a_reading_ends_it():
    assert said(0, 5) == []
    (gap,) = said(0, 5, 65)
    assert (gap["kind"], gap["status"], gap["meter"]) == ("gap", "closed", "a")
    assert (gap["start"], gap["end"]) == ("2024-03-08T07:10:00-05:00", "2024-03-08T08:05:00-05:00")
    assert gap["explanation"] == "11 readings are missing: nothing came for 0.9 h"
    assert gap["severity"] == "low"


def test_a_gap_of_hours_is_more_severe():
    assert said(0, 300)[0]["severity"] == "medium"


def test_gaps_that_ended_before_are_left_out_and_one_that_ends_just_then_is_not():
    assert len(said(0, 60, 120)) == 2
    assert [gap["end"][11:16] for gap in said(0, 60, 120, start=NOON + 120 * MINUTE)] == ["09:00"]
    assert said(0, 60, 120, start=NOON + 121 * MINUTE) == []


def test_a_meter_without_readings_has_no_gap():
    assert said() == []
