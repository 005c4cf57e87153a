"""Several meters on one chart: steps that fit all of them, and means in steps."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.load.overlay import (
    DAY_MINUTES,
    LONGEST_SPAN,
    MOST_POINTS,
    OverlayUnit,
    UnitError,
    factors,
    means_in_steps,
    step_minutes,
    step_starts,
    whole_steps,
)
from usage_platform.core.meters import INTERVALS, Meter
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE

ZONES = st.sampled_from(
    ["America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "UTC"]
)
METERS = st.lists(
    st.builds(Meter, st.just("m"), ZONES, st.sampled_from(INTERVALS)), min_size=1, max_size=8
)
STARTS = st.integers(1_600_000_000, 1_900_000_000).map(lambda seconds: seconds * 10**9)
SPANS = st.integers(NS_A_MINUTE, LONGEST_SPAN)


@given(METERS, STARTS, SPANS)
def test_a_step_holds_whole_intervals_and_a_chart_few_points(meters, start, span):
    minutes = step_minutes(meters, start, start + span)
    assert all(minutes % meter.interval_minutes == 0 for meter in meters)
    starts = step_starts(minutes, meters[0], start, start + span)
    assert len(starts) <= MOST_POINTS + 2
    assert starts[0] <= start < start + span
    assert starts[-1] < start + span
    assert (np.diff(starts) > 0).all()


@given(METERS, STARTS)
def test_a_year_is_shown_by_local_days_of_23_to_25_hours(meters, start):
    end = start + LONGEST_SPAN
    assert step_minutes(meters, start, end) == DAY_MINUTES
    starts = step_starts(DAY_MINUTES, meters[0], start, end)
    local = pd.DatetimeIndex(starts).tz_localize("UTC").tz_convert(meters[0].zone)
    assert set(local.strftime("%H:%M")) == {"00:00"}
    assert len(starts) in (366, 367)
    assert set(np.diff(starts) // (30 * NS_A_MINUTE)) <= {46, 47, 48, 49, 50}


@given(
    st.sampled_from([5, 15, 60]),
    st.lists(st.floats(-50, 900), min_size=1, max_size=200),
    st.integers(0, 500),
)
def test_no_energy_is_lost_or_added_by_steps(minutes, values, first):
    interval = 5 * NS_A_MINUTE
    instants = (first + np.arange(len(values), dtype=np.int64)) * interval
    power, weights = np.array(values), np.arange(len(values), dtype=np.int64) % 3
    starts = step_starts(minutes, Meter(), int(instants[0]), int(instants[-1]) + interval)
    means = means_in_steps(starts, instants, power, weights)
    counts = np.bincount(
        np.searchsorted(starts, instants, side="right") - 1, weights, minlength=len(starts)
    )
    assert np.isnan(means).tolist() == (counts == 0).tolist()
    assert math.fsum(np.nan_to_num(means) * counts) == pytest.approx(
        math.fsum(power * weights), abs=1e-6
    )


def test_a_short_span_is_shown_in_the_longest_interval_of_the_meters():
    meters = [Meter("a", "UTC", 5), Meter("b", "UTC", 15)]
    assert step_minutes(meters, 0, NS_A_DAY) == 15
    assert step_minutes([Meter("a", "UTC", 12), Meter("b", "UTC", 10)], 0, NS_A_DAY) == 60


def test_values_by_area_are_refused_for_a_meter_without_one():
    meters = [Meter("a"), Meter("b"), Meter("c")]
    assert factors(meters, OverlayUnit.KW, {}) == [1.0, 1.0, 1.0]
    assert factors(meters[:1], OverlayUnit.W_PER_M2, {"a": 500.0}) == [2.0]
    with pytest.raises(UnitError, match=r"^unit: 'a', 'c' cannot be shown in W/m2, .* show kW$"):
        factors(meters, OverlayUnit.W_PER_M2, {"b": 500.0})


@given(METERS, STARTS, SPANS)
def test_of_local_days_only_whole_ones_are_shown_and_of_shorter_steps_all(meters, start, length):
    meter, span = meters[0], (start, start + length)
    assert whole_steps(60, meter, step_starts(60, meter, *span), span).all()
    starts = step_starts(DAY_MINUTES, meter, *span)
    shown = whole_steps(DAY_MINUTES, meter, starts, span)
    assert shown[1:-1].all()
    first, last = (
        pd.Timestamp(at, tz="UTC").tz_convert(meter.zone) for at in (span[0], span[1] - 1)
    )
    is_last_whole = (last + pd.Timedelta(1, "ns")).date() > last.date()
    if len(starts) > 1:
        assert (shown[0], shown[-1]) == (first == first.normalize(), is_last_whole)
