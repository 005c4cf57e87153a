"""The checks that look at weeks: alarms against their budget, people's labels, slow changes."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import ANOMALIES, READINGS
from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.meters import Meter
from usage_platform.defs import anomaly_checks, checks
from usage_platform_tests.core.detector.made_models import cut_forests, model, timeline_of
from usage_platform_tests.defs.conftest import START, Platform

METER = "central-library"
HOURS = 24 * 150
DAY = pd.Timedelta(days=1)


@pytest.fixture
def platform(tmp_path) -> Platform:
    return Platform(tmp_path, interval_minutes=60, holidays="-")


@pytest.fixture
def put_readings(platform, write_table):
    """Write hourly readings of 150 days."""

    def write(values):
        times = pd.date_range(START, periods=HOURS, freq="h", unit="ns")
        rows = pd.DataFrame({"meter": METER, "event_time": times, "value": values})
        rows = rows.assign(event_date=rows["event_time"].dt.date)
        write_table(platform.deployment.lake, READINGS, rows)
        return rows

    return write


@pytest.fixture
def put_anomalies(platform, put_readings, write_table):
    """Let some of the last days have a reading that is odd, one each."""

    def write(days):
        values = np.full(HOURS, 150.0)
        values[[HOURS - 24 * day - 12 for day in range(1, days + 1)]] = 500.0
        rows = put_readings(values)
        timeline = timeline_of(
            model("m", START, {METER: cut_forests(Meter(METER, interval_minutes=60))})
        )
        found = find_anomalies(rows, timeline, platform.deployment.registry()).anomalies
        assert len(found) == days
        dated = found.assign(event_date=found["event_time"].dt.date)
        write_table(platform.deployment.lake, ANOMALIES, dated)
        return found

    return write


@pytest.mark.parametrize(("days", "passes"), [(4, True), (5, False)])
def test_more_alarm_days_than_budget_and_chance_allow_are_a_warning(
    platform, put_anomalies, days, passes
):
    """Half a day a week: two in four weeks, and twice the root of that for chance, 4.8."""
    put_anomalies(days)
    platform.keep_model("2024-03-11")
    result = anomaly_checks.alarms_keep_budget(platform)
    assert result.passed == passes
    assert (METER in result.metadata["meters"].value) is not passes


def test_a_method_without_a_budget_cannot_miss_it(platform, put_anomalies):
    put_anomalies(20)
    assert anomaly_checks.alarms_keep_budget(platform).passed


@pytest.mark.parametrize(("says", "passes"), [(Verdict.TRUE, True), (Verdict.FALSE, False)])
def test_people_who_call_most_alarms_false_fail_the_check(platform, put_anomalies, says, passes):
    at = put_anomalies(1)["event_time"].iloc[0]
    platform.deployment.labels.add(METER, at, at + DAY, says, "")
    result = anomaly_checks.people_agree(platform)
    assert result.passed == passes
    counts = [result.metadata[name].value for name in ("episodes_right", "episodes_wrong")]
    assert counts == [int(passes), int(not passes)]


@pytest.mark.parametrize(("rise", "passes"), [(1.0, True), (1.3, False)])
def test_a_night_level_that_has_crept_up_is_a_warning(platform, put_readings, rise, passes):
    rng = np.random.default_rng(0)
    values = 300 * (1 + 0.02 * rng.normal(size=HOURS))
    values[-24 * 14 :] *= rise
    put_readings(values)
    result = checks.no_slow_change(platform)
    assert result.passed == passes
    assert result.metadata["compared"].value == 2
    assert ("+30%" in result.metadata["changes"].value) is not passes
