"""What all meters cost, against adding it up by hand."""

import math
from datetime import date

import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, USAGE_COST, Lake
from usage_platform.core.fleet.meter_cost import MeterCost, Stake
from usage_platform.services import fleet_costs
from usage_platform.services.fleet_costs import CostSums
from usage_platform.services.fleet_sums import spans_until
from usage_platform_tests.conftest import table_writer

END = pd.Timestamp("2024-03-31T14:00Z")
SPANS = spans_until(END)
NIGHT, DAY = 0.10, 0.30
LATE = "2024-03-30T10:00Z"
"""An hour of the last week, at the price of the day."""


def price(start: pd.Timestamp) -> float:
    return DAY if 8 <= start.hour < 20 else NIGHT


def hours(
    meter: str, first: str, end: str = "2024-03-31T00:00Z", kwh: float = 2.0, **given: object
) -> pd.DataFrame:
    """Hours of a meter until a night's work, at two prices."""
    starts = pd.date_range(first, end, freq="h", inclusive="left")
    rows = pd.DataFrame({"meter": meter, "start": starts, "kwh": kwh, "export_kwh": 0.0})
    rows["end"] = starts + pd.Timedelta(hours=1)
    rows["cost"] = [kwh * price(at) for at in starts]
    return rows.assign(**{"currency": "EUR", **given}, event_date=starts.date)


def write_anomalies(lake: Lake, *rows: tuple[str, str, str, float | None, str]) -> None:
    columns = ["meter", "event_time", "episode", "excess_kwh", "status"]
    frame = pd.DataFrame(rows, columns=columns).astype({"excess_kwh": "float64"})
    frame["event_time"] = pd.to_datetime(frame["event_time"], utc=True, format="ISO8601")
    table_writer(lake, ANOMALIES, frame.assign(event_date=frame["event_time"].dt.date))


def costs_of(
    lake: Lake, sums: CostSums | None = None, reviewed: set[tuple[str, str]] | None = None
) -> dict[str, MeterCost]:
    reader = LakeReader(lake)
    files = (reader.day_files(table) for table in (USAGE_COST, ANOMALIES))
    return (sums or CostSums(reader)).follow(*files, SPANS, reviewed or set())


def test_the_cost_of_30_days_is_that_of_the_hours(lake):
    rows = hours("a", "2024-02-20T00:00Z")
    table_writer(lake, USAGE_COST, rows)
    within = rows[(rows["start"] >= SPANS.month_start) & (rows["start"] < END)]
    found = costs_of(lake)["a"]
    assert found.month == pytest.approx(math.fsum(within["cost"]))
    assert (found.currency, found.month_hours) == ("EUR", len(within))
    assert found.episodes == Stake(0.0, is_estimate=False)


def test_an_anomaly_costs_its_excess_at_the_price_of_its_hour(lake):
    table_writer(lake, USAGE_COST, hours("a", "2024-03-10T00:00Z"))
    write_anomalies(
        lake,
        ("a", LATE, "one", 5.0, "told"),
        ("a", "2024-03-30T10:55Z", "one", 1.0, "told"),
        ("a", "2024-03-30T22:05Z", "two", 10.0, "told"),
        ("a", LATE, "withdrawn", 100.0, "withdrawn"),
        ("a", LATE, "unexpected", None, "told"),
        ("a", "2024-03-24T10:00Z", "of the week before", 100.0, "told"),
    )
    found = costs_of(lake)["a"]
    assert found.episodes.amount == pytest.approx(6 * DAY + 10 * NIGHT)
    assert not found.episodes.is_estimate


def test_an_anomaly_costs_the_price_of_its_hour_by_the_meters_own_clock(lake):
    # Hours that begin at half past, one of them over midnight and over a price's beginning.
    rows = hours("a", "2024-03-10T00:30Z")
    rows["cost"] = rows["kwh"] * [DAY if at.hour == 23 else NIGHT for at in rows["start"]]
    table_writer(lake, USAGE_COST, rows)
    write_anomalies(
        lake,
        ("a", "2024-03-29T23:25Z", "one", 1.0, "told"),
        ("a", "2024-03-29T23:30Z", "one", 10.0, "told"),
        ("a", "2024-03-30T00:25Z", "one", 100.0, "told"),
        ("a", "2024-03-30T00:30Z", "one", 1000.0, "told"),
    )
    found = costs_of(lake)["a"]
    assert found.episodes.amount == pytest.approx(110 * DAY + 1001 * NIGHT)
    assert not found.episodes.is_estimate


def test_an_episode_over_midnight_counts_as_one_and_one_below_is_not_subtracted(lake):
    table_writer(lake, USAGE_COST, hours("a", "2024-03-10T00:00Z"))
    write_anomalies(
        lake,
        ("a", "2024-03-28T23:55Z", "night", 8.0, "told"),
        ("a", "2024-03-29T00:00Z", "night", -3.0, "told"),
        ("a", LATE, "drop", -50.0, "told"),
    )
    assert costs_of(lake)["a"].episodes.amount == pytest.approx(5 * NIGHT)


def test_an_episode_that_somebody_has_reviewed_is_not_at_stake(lake):
    table_writer(lake, USAGE_COST, hours("a", "2024-03-10T00:00Z"))
    table_writer(lake, USAGE_COST, hours("b", "2024-03-10T00:00Z"))
    write_anomalies(lake, ("a", LATE, "e", 5.0, "told"), ("b", LATE, "e", 7.0, "told"))
    found = costs_of(lake, reviewed={("a", "e")})
    assert found["a"].episodes.amount == 0.0
    assert found["b"].episodes.amount == pytest.approx(7 * DAY)


def test_an_hour_that_has_no_price_yet_counts_at_the_mean_price_and_says_so(lake):
    rows = hours("a", "2024-03-30T00:00Z")
    table_writer(lake, USAGE_COST, rows)
    # On the last day no hour is priced yet: that is done at night.
    write_anomalies(
        lake, ("a", LATE, "e", 5.0, "told"), ("a", "2024-03-31T09:00Z", "e", 4.0, "told")
    )
    found = costs_of(lake)["a"]
    mean = rows["cost"].sum() / rows["kwh"].sum()
    assert found.episodes.amount == pytest.approx(5 * DAY + 4 * mean)
    assert found.episodes.is_estimate


@pytest.mark.parametrize(
    "given", [{"kwh": 0.0}, {"export_kwh": 1.0}], ids=["nothing used", "exported"]
)
def test_without_any_price_the_cost_at_stake_is_unknown_and_not_0(lake, given):
    table_writer(lake, USAGE_COST, hours("a", "2024-03-10T00:00Z", **given))
    write_anomalies(lake, ("a", LATE, "e", 5.0, "told"))
    found = costs_of(lake)["a"]
    assert math.isnan(found.episodes.amount)
    assert found.episodes.is_estimate


def test_a_meter_without_a_tariff_or_with_two_currencies_has_no_cost(lake):
    untariffed = hours("none", "2024-03-10T00:00Z").assign(currency=None, cost=None)
    untariffed = untariffed.astype({"currency": "string", "cost": "float64"})
    table_writer(lake, USAGE_COST, untariffed)
    table_writer(lake, USAGE_COST, hours("two", "2024-03-10T00:00Z", "2024-03-20T00:00Z"))
    table_writer(lake, USAGE_COST, hours("two", "2024-03-20T00:00Z", currency="USD"))
    table_writer(lake, USAGE_COST, hours("a", "2024-03-10T00:00Z"))
    write_anomalies(lake, ("none", LATE, "e", 5.0, "told"), ("two", LATE, "e", 5.0, "told"))
    assert set(costs_of(lake)) == {"a"}


def test_only_days_that_have_changed_are_read_again(lake, monkeypatch):
    table_writer(lake, USAGE_COST, hours("a", "2024-03-10T00:00Z"))
    write_anomalies(lake, ("a", LATE, "e", 5.0, "told"))
    sums = CostSums(LakeReader(lake))
    before = costs_of(lake, sums)
    scanned: list[str] = []
    scan = LakeReader.scan

    def counted(self, table, *args):
        scanned.append(table.name)
        return scan(self, table, *args)

    monkeypatch.setattr(LakeReader, "scan", counted)
    assert costs_of(lake, sums) == before
    assert scanned == []
    write_anomalies(lake, ("a", "2024-03-29T10:00Z", "f", 3.0, "told"))
    after = costs_of(lake, sums)["a"]
    assert scanned == ["usage_cost", "anomalies"]
    assert after.episodes.amount == pytest.approx(8 * DAY)
    assert costs_of(lake)["a"].episodes.amount == pytest.approx(after.episodes.amount)


def test_after_a_failure_no_day_has_the_sums_of_files_that_were_replaced(lake, monkeypatch):
    monkeypatch.setattr(fleet_costs, "MOST_HOURS", 1)
    table_writer(lake, USAGE_COST, hours("a", "2024-03-10T00:00Z"))
    sums, scan = CostSums(LakeReader(lake)), LakeReader.scan
    scanned: list[object] = []

    def fails_later(self, *args):
        scanned.append(args)
        if len(scanned) > 5:
            raise LakeError("the lake is away")
        return scan(self, *args)

    with monkeypatch.context() as broken:
        broken.setattr(LakeReader, "scan", fails_later)
        with pytest.raises(LakeError):
            costs_of(lake, sums)
    table_writer(lake, USAGE_COST, hours("b", "2024-03-10T00:00Z"))
    assert costs_of(lake, sums) == costs_of(lake)
    assert set(costs_of(lake, sums)) == {"a", "b"}


def test_before_the_first_night_there_is_no_cost(lake):
    write_anomalies(lake, ("a", LATE, "e", 5.0, "told"))
    assert costs_of(lake) == {}
    assert SPANS.week_start.date() == date(2024, 3, 24)
