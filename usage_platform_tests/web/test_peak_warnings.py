"""The page shows a meter's peak warning beside its forecast, and not for longer than a day."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.peak_record import PeakRecord, PeakRecords
from usage_platform.core.anomalies.peak_messages import (
    PeakWarning,
    closed_warning,
    opened_warning,
    parse_warning,
)
from usage_platform.core.readings.series import Series
from usage_platform.core.time.units import NS_A_DAY, NS_AN_HOUR
from usage_platform_tests.web.conftest import METER, client_of

ADDRESS = "/api/forecast?meter=m"
MIDNIGHT = pd.Timestamp("2024-03-20", tz=METER.zone).value
WARNING = PeakWarning(
    start=MIDNIGHT,
    end=MIDNIGHT + NS_A_DAY,
    peak_kw=1500.0,
    probability=0.25,
    expected_kw=1510.0,
    low_kw=1400.0,
    high_kw=1600.0,
    expected_at=MIDNIGHT + 14 * NS_AN_HOUR,
    cost=100.5,
    currency="USD",
)


def record(lake, *events):
    messages = [parse_warning(event.value) for event in events]
    kept = {message["episode"]: message for message in messages}
    PeakRecords(LakeFiles(lake.assets)).write(PeakRecord(warnings={"m": kept}))


def shown(page):
    return page.get(ADDRESS).json()["forecast"]["peak_warning"]


def test_without_a_warning_there_is_none(page):
    assert shown(page) is None


def test_a_warning_is_shown_with_its_range_hour_and_cost(own_lake):
    record(own_lake, opened_warning(WARNING, METER))
    said = shown(client_of(own_lake))
    assert said == {
        "episode": "2024-03-20T00:00-04:00",
        "status": "opened",
        "outcome": None,
        "highest_kw": None,
        "peak_kw": 1500.0,
        "probability": 0.25,
        "expected_kw": 1510.0,
        "expected_low_kw": 1400.0,
        "expected_high_kw": 1600.0,
        "cost": 100.5,
        "currency": "USD",
        "start": MIDNIGHT // 10**9,
        "expected_at": MIDNIGHT // 10**9 + 14 * 3600,
    }


@pytest.mark.parametrize(("days_ago", "outcome"), [(0, "exceeded"), (3, None)])
def test_its_outcome_is_shown_for_a_day(own_lake, days_ago, outcome):
    start = MIDNIGHT - days_ago * NS_A_DAY
    before = PeakWarning(**{**vars(WARNING), "start": start, "end": start + NS_A_DAY})
    opened = parse_warning(opened_warning(before, METER).value)
    day = Series(start + 14 * NS_AN_HOUR + pd.Index([0]).to_numpy(), pd.Index([1501.0]).to_numpy())
    record(own_lake, closed_warning(opened, day, METER, is_over=True))
    said = shown(client_of(own_lake))
    assert (said and said["outcome"]) == outcome


def test_a_new_warning_makes_a_new_answer(own_lake, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    page = client_of(own_lake)
    tag = page.get(ADDRESS).headers["etag"]
    record(own_lake, opened_warning(WARNING, METER))
    now[0] += 60
    answer = page.get(ADDRESS, headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert answer.json()["forecast"]["peak_warning"]["status"] == "opened"


def test_a_damaged_record_is_one_line(own_lake):
    LakeFiles(own_lake.assets).write_text("peak_warnings.json", "{")
    answer = client_of(own_lake).get(ADDRESS)
    assert answer.status_code == 503
    assert "peak_warnings.json" in answer.json()["error"]
