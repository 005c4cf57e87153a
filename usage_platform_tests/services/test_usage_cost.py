"""The rows of `usage_cost`, and when a month is due; the MERGE on real Spark."""

import math
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from usage_platform.adapters.lake.cost_table import COST_COLUMNS
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_COST
from usage_platform.adapters.stores.cost_record import CostRecord
from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.core.load.month import Month
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.tariffs.bill import bill_of_month
from usage_platform.core.tariffs.charges import ChargeKind
from usage_platform.core.tariffs.parsing import parse_tariffs
from usage_platform.services import usage_cost
from usage_platform.services.month_bills import readings_between
from usage_platform.services.usage_cost import (
    CostInputs,
    compute_month,
    costs_of_month,
    months_due,
)

BOSTON = Meter("boston", "America/New_York", 60)
DELHI = Meter("delhi", "Asia/Kolkata", 60)
REGISTRY = MeterRegistry(BOSTON).with_meters([BOSTON, DELHI])
APRIL, MAY = Month(date(2024, 4, 1)), Month(date(2024, 5, 1))
FILE = """
tariffs:
  - name: campus
    meters: [boston, delhi]
    unit: USD
    versions:
      - valid_from: 2024-01-01
        energy:
          - {name: night, hours: ["22:00-06:00"], price: 0.10}
          - {name: day, tiers: [{up_to_kwh: 600, price: 0.20}, {price: 0.30}]}
  - name: grid
    meters: [boston]
    unit: gCO2
    versions: [{valid_from: 2024-04-15, energy: [{name: mix, price: 400}]}]
"""


def book(text=FILE):
    return parse_tariffs(yaml_texts(text), "tariffs.yaml")


def rows(meter, first, last, kw=1.5):
    times = pd.date_range(first, last, freq="h", tz="UTC", inclusive="left")
    return pd.DataFrame(
        {"meter": meter, "event_time": times, "event_date": times.date, "value": kw}
    )


@pytest.fixture
def inputs(lake, write_table):
    """Two months of two meters, and a meter without a tariff."""
    for meter in ("boston", "delhi", "other"):
        write_table(lake, READINGS, rows(meter, "2024-03-31", "2024-06-02"))
    return CostInputs(LakeReader(lake), book(), REGISTRY)


@pytest.fixture
def record(lake):
    return CostRecord(LakeFiles(lake.assets))


@pytest.mark.parametrize("meter", [BOSTON, DELHI], ids=lambda meter: meter.name)
def test_the_hours_of_a_month_cost_what_its_bill_says(inputs, meter):
    costs = costs_of_month(inputs, MAY, [meter.name])
    start, end = MAY.bounds(meter)
    series = readings_between(inputs.reader, meter, start, end)
    bill = bill_of_month(inputs.book.money(meter.name), meter, MAY, series, end)
    assert (costs["start"].min(), costs["end"].max()) == (start, end)
    assert len(costs) == 744
    lines = bill.exact(ChargeKind.ENERGY)
    assert costs["cost"].sum() == pytest.approx(float(lines), abs=1e-9)
    assert set(costs["currency"]) == {"USD"}
    assert set(costs["covered_minutes"]) == {60}


def test_no_hour_lies_in_two_months(inputs):
    april, may = (costs_of_month(inputs, month, ["delhi"]) for month in (APRIL, MAY))
    assert april["end"].max() == may["start"].min() == pd.Timestamp("2024-04-30T18:30Z")


def test_the_hours_of_a_former_version_are_replaced(inputs, record, lake, monkeypatch):
    in_utc = REGISTRY.with_meters([Meter("delhi", "UTC", 60)])
    former = CostInputs(inputs.reader, inputs.book, in_utc)
    monkeypatch.setattr(usage_cost, "are_utc", lambda registry: True)
    for month in months_due(former, record):
        compute_month(former, record, month, lambda line: None)
        record.write(month.label, inputs.digest(month, inputs.reader.day_files(READINGS)))
    monkeypatch.undo()
    due = months_due(inputs, record)
    assert len(due) == 4
    for month in due:
        compute_month(inputs, record, month, lambda line: None)
    expected = pd.concat([costs_of_month(inputs, month, ["delhi"]) for month in due])
    found = inputs.reader.rows(USAGE_COST, COST_COLUMNS, meters=["delhi"])
    pd.testing.assert_frame_equal(
        found.sort_values("start", ignore_index=True),
        expected.sort_values("start", ignore_index=True),
        check_dtype=False,
    )


def test_a_meter_of_a_volume_has_no_row_whatever_tariff_is_for_all(inputs):
    water = Meter("boston", BOSTON.timezone, BOSTON.interval_minutes, unit=ReadingUnit.M3_H)
    mixed = replace(inputs, registry=inputs.registry.with_meters([water]))
    assert set(costs_of_month(mixed, MAY, ["boston", "delhi"])["meter"]) == {"delhi"}
    assert costs_of_month(mixed, MAY, ["boston"]).empty


def test_without_a_tariff_there_is_energy_and_no_cost(inputs):
    costs = costs_of_month(inputs, APRIL, ["boston", "other"])
    other = costs[costs["meter"] == "other"]
    assert len(other) == 720
    assert other["kwh"].sum() == 1080
    assert other[["tariff", "currency", "cost", "co2_kg"]].isna().all().all()
    # The carbon tariff begins in the middle of the month.
    carbon = costs[(costs["meter"] == "boston")].set_index("start")["co2_kg"]
    begin = pd.Timestamp("2024-04-15T04:00Z")
    assert carbon[carbon.index < begin].isna().all()
    assert set(carbon[carbon.index >= begin].round(9)) == {0.6}


def test_a_month_is_due_until_it_was_computed_and_again_when_something_changes(
    inputs, record, lake, write_table
):
    assert [month.label for month in months_due(inputs, record)] == [
        *("2024-06", "2024-05", "2024-04", "2024-03"),
    ]
    for month in months_due(inputs, record):
        record.write(month.label, inputs.digest(month, inputs.reader.day_files(READINGS)))
    assert months_due(inputs, record) == []
    write_table(lake, READINGS, rows("boston", "2024-05-10T10:00", "2024-05-10T11:00", kw=9.0))
    assert months_due(inputs, record) == [MAY]
    other = CostInputs(inputs.reader, book(FILE.replace("0.10", "0.11")), REGISTRY)
    assert len(months_due(other, record)) == 4
    zone = REGISTRY.with_meters([Meter("delhi", "Asia/Kathmandu", 60)])
    assert len(months_due(CostInputs(inputs.reader, inputs.book, zone), record)) == 4


def test_a_reading_that_arrives_while_its_month_is_computed_makes_it_due_again(
    inputs, record, lake, write_table, monkeypatch
):
    def merge(lake, costs):
        write_table(lake, READINGS, rows("boston", "2024-05-10T10:00", "2024-05-10T11:00", kw=9.0))

    monkeypatch.setattr(usage_cost, "merge_costs", merge)
    assert compute_month(inputs, record, MAY, lambda line: None) == 744 * 3
    assert MAY in months_due(inputs, record)


def test_a_month_computed_again_changes_only_what_is_another_cost(
    inputs, record, lake, write_table, monkeypatch
):
    monkeypatch.setattr(usage_cost, "METERS_AT_ONCE", 2)
    lines: list[str] = []
    hours = compute_month(inputs, record, MAY, lines.append)
    assert lines == ["2024-05: 2 of 3 meters", "2024-05: 3 of 3 meters"]
    assert MAY not in months_due(inputs, record)
    table = inputs.reader.rows(USAGE_COST)
    assert len(table) == hours == 744 * 3
    assert set(table["rev"]) == {0}
    expected = costs_of_month(inputs, MAY, ["boston", "delhi", "other"])
    keys = ["meter", "start"]
    found = table[COST_COLUMNS].sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(
        found, expected.sort_values(keys, ignore_index=True), check_dtype=False
    )

    compute_month(inputs, record, MAY, lines.append)
    assert set(inputs.reader.rows(USAGE_COST)["rev"]) == {0}

    dearer = CostInputs(inputs.reader, book(FILE.replace("0.10", "0.11")), REGISTRY)
    compute_month(dearer, record, MAY, lines.append)
    changed = inputs.reader.rows(USAGE_COST)
    assert len(changed) == hours
    assert set(changed.loc[changed["meter"] == "other", "rev"]) == {0}
    nights = changed[(changed["meter"] == "boston") & (changed["rev"] == 1)]
    assert len(nights) == 31 * 8
    assert math.isclose(nights["cost"].sum(), 31 * 8 * 1.5 * 0.11)
