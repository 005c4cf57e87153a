"""Errors, coverage and warnings of forecasts, counted."""

from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.evaluation import forecast_errors as errors_module
from usage_platform.core.evaluation.forecast_errors import (
    FIRST_DAY,
    PeakWarnings,
    errors_of_last_days,
    forecast_errors,
)
from usage_platform.core.forecast.forecast import forecast
from usage_platform.core.readings.series import NO_READINGS
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_DAY, NS_AN_HOUR
from usage_platform_tests.core.forecast.made_history import BOSTON, HOLIDAYS, healthy


def test_on_a_healthy_building_the_forecast_misses_least(monkeypatch):
    # Trees take long to train, and have a test of their own.
    monkeypatch.setattr(
        errors_module, "boosted_power", lambda windows, first: np.full_like(windows.values, 800.0)
    )
    monkeypatch.setattr(
        errors_module, "boosted_probability", lambda made, days, *args: np.zeros(len(days))
    )
    found = forecast_errors(healthy(), BOSTON, HOLIDAYS)
    maes = {name: one.mae for name, one in found.errors.items()}
    assert maes["forecast"] < 0.8 * min(maes["previous day"], maes["previous week"])
    assert all(one.rmse >= one.mae > 0 for one in found.errors.values())
    assert found.errors["forecast"].wape == pytest.approx(maes["forecast"] / 800, rel=0.15)
    assert found.days <= 340 - FIRST_DAY
    assert 0.8 < found.coverage < 0.95
    assert found.energy_error < 0.05


def test_errors_of_the_last_days_are_those_of_forecasts_made_at_their_midnights():
    series = healthy()
    found = errors_of_last_days(series, BOSTON, HOLIDAYS, 3)
    assert found is not None
    assert [*found] == ["forecast", "previous week"]
    end = int(series.instants[-1]) + NS_AN_HOUR
    last = pd.Timestamp(end, tz="UTC").tz_convert(BOSTON.zone).date()
    missed, used = [], []
    for back in (3, 2, 1):
        begin, until = (
            one.value for one in local_day_bounds(last - timedelta(days=back), BOSTON.timezone)
        )
        made = forecast(series, BOSTON, HOLIDAYS, begin)
        assert made is not None
        came = series.since(begin).until(until)
        power = made.power[np.isin(made.instants, came.instants)]
        # Both methods are measured on the readings of which both have a forecast.
        both = np.isin(came.instants - 7 * NS_A_DAY, series.instants)
        missed.append(np.abs(came.values - power)[both])
        used.append(came.values[both])
    assert found["forecast"].mae == pytest.approx(np.concatenate(missed).mean(), rel=1e-6)
    assert found["forecast"].wape == pytest.approx(
        np.concatenate(missed).sum() / np.concatenate(used).sum(), rel=1e-6
    )


def test_with_too_little_history_the_last_days_have_no_errors():
    series = healthy()
    begin = int(series.instants[-1]) - 9 * NS_A_DAY
    assert errors_of_last_days(series.since(begin), BOSTON, HOLIDAYS, 7) is None
    assert errors_of_last_days(NO_READINGS, BOSTON, HOLIDAYS, 7) is None


def test_a_series_without_readings_is_refused():
    with pytest.raises(ValueError, match="meter m: no readings; give at least half a year"):
        forecast_errors(NO_READINGS, BOSTON, HOLIDAYS)


def test_warnings_are_counted_from_their_probability_on():
    came = np.array([True, True, False, False, False])
    peaks = PeakWarnings(
        came,
        {"one": np.array([0.9, 0.2, 0.5, 0.1, 0.0])},
        np.array([0, 0, 1, 1, 1], dtype=np.bool_),
    )
    assert peaks.rates("one", 0.5) == (0.5, 0.5)
    assert peaks.rates("one", 0.2) == (pytest.approx(2 / 3), 1.0)
    assert peaks.best_precision("one", 0.5) == 1.0
    assert peaks.best_precision("one", 0.8) == pytest.approx(2 / 3)
    assert peaks.later.came.tolist() == [False, False, False]
    assert (peaks.warned("one", 0.2), peaks.later.warned("one", 0.2)) == (3, 1)
    precision, recall = peaks.rates("one", 0.95)
    assert np.isnan(precision)
    assert recall == 0.0


def test_without_a_new_peak_there_is_no_precision():
    peaks = PeakWarnings(
        np.zeros(2, dtype=np.bool_), {"one": np.array([0.4, 0.3])}, np.ones(2, dtype=np.bool_)
    )
    assert np.isnan(peaks.best_precision("one", 0.8))
