"""What is due when, and where playback goes on; no clock and no topic is needed."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace, bursts, remaining

START = pd.Timestamp("2024-03-05T13:00:00Z")


def readings(steps, meters=("a",), minutes=5):
    """A reading of each meter at each of the steps."""
    rows = [(m, START + pd.Timedelta(minutes=minutes * s), float(s)) for s in steps for m in meters]
    frame = pd.DataFrame(rows, columns=["meter", "ts", "value"])
    return frame.astype({"meter": object, "ts": "datetime64[ns, UTC]", "value": "float64"})


def dues(frame, pace):
    return [(burst.rows["value"].tolist(), burst.due) for burst in bursts(frame, pace)]


def test_a_step_of_five_minutes_takes_300_seconds_over_the_accelerator():
    assert Pace().seconds_a_step == 300
    assert Pace(accelerator=60).seconds_a_step == 5
    assert Pace(step_minutes=15, accelerator=300).seconds_a_step == 3
    assert Pace(accelerator=AS_FAST_AS_POSSIBLE).seconds_a_step == 0


def test_each_step_is_due_when_its_event_time_has_gone_by():
    assert dues(readings(range(3)), Pace(accelerator=60)) == [([0], 0), ([1], 5), ([2], 10)]


def test_a_gap_in_the_source_is_waited_out():
    assert dues(readings([0, 1, 7]), Pace(accelerator=60)) == [([0], 0), ([1], 5), ([7], 35)]


def test_all_meters_of_a_step_are_due_together():
    due = dues(readings(range(2), meters=("a", "b")), Pace(accelerator=60))
    assert due == [([0, 0], 0), ([1, 1], 5)]


def test_a_step_longer_than_the_interval_sends_several_readings_at_once():
    assert dues(readings(range(4)), Pace(step_minutes=10, accelerator=60)) == [
        ([0, 1], 0),
        ([2, 3], 10),
    ]


def test_history_is_due_at_once_and_the_pace_begins_after_it():
    pace = Pace(accelerator=60, history_until=START + pd.Timedelta(minutes=10))
    assert dues(readings(range(4)), pace) == [([0, 1], 0), ([2], 0), ([3], 5)]


def test_as_fast_as_possible_is_one_burst_without_a_wait():
    assert dues(readings(range(3)), Pace(accelerator=AS_FAST_AS_POSSIBLE)) == [([0, 1, 2], 0)]


@pytest.mark.parametrize("accelerator", [1, AS_FAST_AS_POSSIBLE])
def test_nothing_to_play_makes_no_burst(accelerator):
    assert dues(readings([]), Pace(accelerator=accelerator)) == []


@given(
    st.lists(st.integers(0, 500), unique=True).map(sorted),
    st.sampled_from([1.0, 77.0, AS_FAST_AS_POSSIBLE]),
    st.none() | st.integers(0, 500),
    st.sampled_from([5, 15]),
)
def test_bursts_hold_every_reading_once_in_order_and_dues_never_go_back(
    steps, accelerator, history_steps, step_minutes
):
    until = None if history_steps is None else START + pd.Timedelta(minutes=5 * history_steps)
    found = list(bursts(readings(steps), Pace(step_minutes, accelerator, until)))
    assert [v for burst in found for v in burst.rows["value"]] == steps
    due = [burst.due for burst in found]
    assert due == sorted(due)
    assert all(len(burst.rows) for burst in found)


def test_a_large_history_comes_in_bursts_that_a_producer_can_hold():
    frame = readings(range(45_000), minutes=1)
    found = list(bursts(frame, Pace(accelerator=AS_FAST_AS_POSSIBLE)))
    assert [len(burst.rows) for burst in found] == [20_000, 20_000, 5_000]


def test_each_meter_goes_on_after_its_own_last_reading():
    last = {"a": START + pd.Timedelta(minutes=5), "b": START}
    left = remaining(readings(range(3), meters=("a", "b", "c")), last, None, None)
    assert list(zip(left["meter"], left["value"], strict=True)) == [
        ("c", 0),
        ("b", 1),
        ("c", 1),
        ("a", 2),
        ("b", 2),
        ("c", 2),
    ]


def test_readings_before_the_start_date_are_not_played():
    start = (START + pd.Timedelta(minutes=5)).to_pydatetime()
    assert remaining(readings(range(3)), {}, start, None)["value"].tolist() == [1, 2]


def test_the_most_readings_count_from_the_start_date_and_over_all_runs():
    start = (START + pd.Timedelta(minutes=5)).to_pydatetime()
    frame = readings(range(9))
    assert remaining(frame, {}, start, 3)["value"].tolist() == [1, 2, 3]
    assert remaining(frame, {"a": START + pd.Timedelta(minutes=10)}, start, 3)[
        "value"
    ].tolist() == [3]
    assert remaining(frame, {"a": START + pd.Timedelta(minutes=15)}, start, 3).empty


@given(st.integers(0, 12), st.none() | st.integers(1, 12), st.none() | st.integers(0, 5))
def test_stopped_anywhere_and_resumed_plays_each_reading_once(stop, most, skipped):
    frame = readings(range(4), meters=("a", "b", "c"))
    start = None if skipped is None else (START + pd.Timedelta(minutes=5 * skipped)).to_pydatetime()
    whole = remaining(frame, {}, start, most)
    first = whole.iloc[:stop]
    last = first.groupby("meter")["ts"].max().to_dict()
    both = pd.concat([first, remaining(frame, last, start, most)])
    pd.testing.assert_frame_equal(both.sort_values(["ts", "meter"], ignore_index=True), whole)
