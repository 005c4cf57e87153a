import numpy as np
import pytest

from usage_platform.core.detector.slow_change import HISTORY_DAYS, RECENT_DAYS, slow_changes
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import NS_A_DAY, NS_AN_HOUR

METER = Meter("a", "America/New_York", 60)
START = 1_704_085_200 * 10**9  # 2024-01-01T00:00-05:00, a Monday


def building(days=HISTORY_DAYS, seed=0):
    """Nights of 300 kW, days of 600 kW, weekends of 400 kW, 2 % of noise a day."""
    rng = np.random.default_rng(seed)
    hour = np.arange(days * 24)
    day = hour // 24
    high = np.where(day % 7 >= 5, 400.0, 600.0)
    values = np.where((hour % 24 >= 8) & (hour % 24 < 18), high, 300.0)
    return START + hour * NS_AN_HOUR, values * (1 + 0.02 * rng.normal(size=days))[day]


def changes(instants, values):
    return {change.what: change for change in slow_changes(instants, values, METER, Calendar())}


@pytest.mark.parametrize("seed", range(3))
def test_a_steady_building_has_no_slow_change(seed):
    found = changes(*building(seed=seed))
    assert set(found) == {"night level", "daily mean"}
    assert not any(change.is_significant for change in found.values())


def test_a_night_level_that_crept_up_is_found_and_measured():
    instants, values = building()
    recent = instants >= instants[-1] - RECENT_DAYS * NS_A_DAY
    night = values < 350
    found = changes(instants, np.where(recent & night, values * 1.2, values))
    assert found["night level"].is_significant
    assert found["night level"].share == pytest.approx(0.2, abs=0.03)
    assert found["night level"].before_kw == pytest.approx(300, rel=0.03)


def test_a_level_that_has_shifted_for_good_is_found_in_the_mean():
    instants, values = building()
    recent = instants >= instants[-1] - RECENT_DAYS * NS_A_DAY
    found = changes(instants, np.where(recent, values * 0.8, values))
    assert found["daily mean"].is_significant
    assert found["daily mean"].share == pytest.approx(-0.2, abs=0.03)


def test_too_few_days_say_nothing():
    assert changes(*building(days=60)) == {}
    assert slow_changes(np.empty(0, dtype=np.int64), np.empty(0), METER, Calendar()) == []
