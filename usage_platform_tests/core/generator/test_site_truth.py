"""The truth of planted faults, beside what can be reckoned by hand."""

from datetime import date

import pandas as pd
import pytest

from usage_platform.core.generator.site_plan import DAYS, FIRST_DAY
from usage_platform.core.generator.site_truth import lasting_spans, planted_findings

END = pd.Timestamp("2024-06-24T04:00Z")


@pytest.fixture(scope="module")
def truth():
    return {(one.meter, one.kind, one.start): one for one in planted_findings(1, DAYS)}


def of_kind(truth, kind):
    return [one for one in truth.values() if one.kind == kind]


def test_a_server_of_20_kw_draws_them_all_year(truth):
    [one] = of_kind(truth, "base_load_increase")
    assert one.meter == "central-library-server-room"
    assert (one.start, one.end) == (END - pd.Timedelta(days=28), END)
    # The weather moves a base load by a percent or so.
    assert one.kwh == pytest.approx(20 * 24 * 28, rel=0.02)
    assert one.kwh_per_year == pytest.approx(20 * 24 * 365, rel=0.02)


def test_what_a_sub_meter_does_not_measure_is_counted_once(truth):
    [one] = of_kind(truth, "sub_meters")
    assert one.meter == "swimming-pool"
    assert one.end - one.start == pd.Timedelta(days=14)
    # Half of pumps of about 100 kW.
    assert one.kwh == pytest.approx(14 * 24 * 50, rel=0.05)
    assert one.kwh_per_year is None


def test_each_holiday_is_a_finding_of_its_own_for_the_holidays_of_a_year(truth):
    found = of_kind(truth, "holiday_operation")
    days = [one.start.tz_convert("America/New_York").date() for one in found]
    assert days == [date(2024, 5, 27), date(2024, 6, 19)]
    for one in found:
        # 2024-07-04 to 2025-06-19: Massachusetts has so many of them from Monday to Friday.
        assert one.kwh_per_year == pytest.approx(12 * one.kwh)
        assert one.kwh > 0


def test_shifted_hours_draw_more_and_a_repeated_reading_draws_nothing(truth):
    for kind in ("early_start", "late_stop"):
        [one] = of_kind(truth, kind)
        assert one.kwh > 0
        assert one.kwh_per_year == pytest.approx(one.kwh * 365 / 28)
    [stuck] = of_kind(truth, "flatline")
    assert (stuck.kwh, stuck.kwh_per_year) == (0.0, None)
    assert stuck.end - stuck.start == pd.Timedelta(hours=40)


def test_nothing_is_planted_before_its_time():
    days = (date(2024, 5, 1) - FIRST_DAY).days
    assert planted_findings(1, days) == []
    spans = lasting_spans(days)
    assert (spans["start"] == spans["end"]).all()


def test_a_fault_changes_its_sub_meter_and_another_load_the_main_meter_too():
    spans = lasting_spans(DAYS)
    assert spans.dtypes.astype(str).tolist() == ["object", *["datetime64[ns, UTC]"] * 2]
    assert (spans["start"] < spans["end"]).all()
    counts = spans["meter"].value_counts()
    # The pumps' sub-meter measures half, and the office's canteen repeats a reading.
    assert counts["swimming-pool-pumps"] == counts["town-office-canteen"] == 1
    assert (counts["swimming-pool"], counts["central-library"]) == (1, 2)
    # A plant that ignores holidays differs on these days alone.
    office = spans[spans["meter"] == "town-office-ventilation"]
    assert (office["end"] - office["start"] == pd.Timedelta(days=1)).tolist() == [True, True]
