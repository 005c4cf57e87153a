"""The check of `usage_cost`, and when its months are computed; without Spark."""

from datetime import UTC, date, datetime

import dagster as dg
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import save_meters
from usage_platform.adapters.lake.tables import READINGS, USAGE_COST
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.defs import cost_assets
from usage_platform.defs.cost_assets import costs_equal_recompute
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.schedules import nightly_costs
from usage_platform.services.usage_cost import costs_of_month, months_due
from usage_platform_tests.defs.conftest import Platform

ROME = Meter("rome", "Europe/Rome", 60)
FILE = """
tariffs:
  - name: campus
    meters: all
    unit: EUR
    versions: [{valid_from: 2024-01-01, energy: [{name: energy, price: 0.25}]}]
"""


@pytest.fixture
def platform(tmp_path, write_table):
    """A lake with readings of February and March 2024 and a tariff."""
    found = Platform(tmp_path, kafka_bootstrap="")
    deployment = found.deployment
    save_meters(deployment.assets, MeterRegistry(ROME).with_meters([ROME]))
    deployment.assets.write_text("tariffs.yaml", FILE)
    times = pd.date_range("2024-02-10", "2024-03-20", freq="h", tz="UTC")
    rows = pd.DataFrame({"meter": "rome", "event_time": times, "value": 2.0})
    write_table(deployment.lake, READINGS, rows.assign(event_date=times.date))
    return found


@pytest.fixture
def computed(platform, write_table):
    """Write the table as a run of the asset does; the change is applied to the rows before."""

    def write(change=lambda rows: rows):
        deployment = platform.deployment
        inputs, record = deployment.cost_inputs(), deployment.cost_record
        files = deployment.reader.day_files(READINGS)
        for month in months_due(inputs, record):
            rows = change(costs_of_month(inputs, month, ["rome"]))
            rows = rows.astype({"covered_minutes": "int32", "co2_kg": "float64"})
            write_table(deployment.lake, USAGE_COST, rows.assign(rev=0))
            record.write(month.label, inputs.digest(month, files))

    return write


def check(platform):
    result = costs_equal_recompute(platform)
    return result, {name: one.value for name, one in (result.metadata or {}).items()}


def test_the_check_passes_on_equal_rows_and_names_what_it_compared(platform, computed):
    computed()
    result, said = check(platform)
    assert result.passed
    # March has readings until the 20th, 00:00 UTC: 19 days and two hours of local time.
    assert said == {
        "month": "2024-03",
        "meters": "rome",
        "hours_compared": 458,
        "hours_wrong": 0,
        "months_due": 0,
    }


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        (lambda rows: rows.assign(cost=rows["cost"].where(rows.index != 7, 9.9)), 1),
        (lambda rows: rows[rows.index >= 3], 3),
    ],
    ids=["another cost", "missing hours"],
)
def test_the_check_counts_hours_that_differ_or_are_missing(platform, computed, change, wrong):
    computed(change)
    result, said = check(platform)
    assert not result.passed
    assert said["hours_wrong"] == wrong


def test_months_that_wait_for_the_next_run_are_not_compared(platform, computed):
    assert check(platform)[0].description == "usage_cost: no such table yet"
    computed(lambda rows: rows.assign(cost=1.0))
    platform.deployment.assets.write_text("tariffs.yaml", FILE.replace("0.25", "0.26"))
    result, _ = check(platform)
    assert result.passed
    assert result.description == "every month waits for the next run"


def test_the_month_after_the_newest_reading_has_nothing_to_compare(platform, computed, write_table):
    last = {"meter": "rome", "event_time": [pd.Timestamp("2024-03-31T12:00Z")], "value": 3.0}
    write_table(
        platform.deployment.lake,
        READINGS,
        pd.DataFrame({**last, "event_date": [date(2024, 3, 31)]}),
    )
    computed()
    assert set(platform.deployment.cost_record.read()) == {"2024-02", "2024-03", "2024-04"}
    assert check(platform)[1]["month"] == "2024-03"


def test_the_asset_computes_each_of_its_months_without_spark(platform, monkeypatch, tmp_path):
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_LAKE", platform.deployment.lake.root)
    done = dg.materialize(
        [cost_assets.usage_cost],
        partition_key="2024-03-01",
        resources={"platform": PlatformResource()},
    )
    (made,) = done.asset_materializations_for_node("usage_cost")
    rows = platform.deployment.reader.rows(USAGE_COST)
    # From midnight in Rome on the first to midnight UTC on the twentieth.
    assert rows["start"].min() == pd.Timestamp("2024-02-29T23:00Z")
    assert rows["cost"].tolist() == [0.5] * len(rows)
    assert made.metadata["hours"].value == len(rows) == 458
    assert made.metadata["tariffs"].value == 1


def test_a_mistake_in_the_file_fails_the_run_in_one_line(platform, monkeypatch, tmp_path):
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    platform.deployment.assets.write_text("tariffs.yaml", FILE.replace("EUR", "euro"))
    done = dg.materialize(
        [cost_assets.usage_cost],
        partition_key="2024-03-01",
        resources={"platform": PlatformResource()},
        raise_on_error=False,
    )
    (failure,) = done.filter_events(lambda event: event.is_step_failure)
    reason = failure.step_failure_data.user_failure_data.description
    assert reason.endswith(
        "tariffs.yaml: tariff campus: unit: expected a currency such as EUR, or gCO2, got 'euro'"
    )


@pytest.fixture
def ask(on_disk):
    """The months that a night starts runs for, or why it starts none."""

    def evaluate(platform, at="2024-03-21T03:07"):
        context = dg.build_schedule_context(
            on_disk,
            scheduled_execution_time=datetime.fromisoformat(at).replace(tzinfo=UTC),
            resources={"platform": platform},
        )
        return nightly_costs(context)

    return evaluate


def test_each_night_computes_the_months_that_have_changed(ask, platform, computed, write_table):
    assert [one.partition_key for one in ask(platform)] == ["2024-03-01", "2024-02-01"]
    computed()
    assert isinstance(ask(platform), dg.SkipReason)
    late = pd.DataFrame(
        {
            "meter": "rome",
            "event_time": [pd.Timestamp("2024-02-05T12:00Z")],
            "event_date": [date(2024, 2, 5)],
            "value": 3.0,
        }
    )
    write_table(platform.deployment.lake, READINGS, late)
    (request,) = ask(platform)
    assert (request.partition_key, request.run_key) == ("2024-02-01", "2024-02-01 2024-03-21")


def test_a_month_that_has_not_begun_is_not_computed(ask, platform, write_table):
    last = pd.DataFrame(
        {"meter": "rome", "event_time": [pd.Timestamp("2024-03-31T12:00Z")], "value": 3.0}
    )
    last["event_date"] = last["event_time"].dt.date
    write_table(platform.deployment.lake, READINGS, last)
    assert "2024-04-01" not in {one.partition_key for one in ask(platform, "2024-03-31T14:07")}


def test_without_a_tariff_nothing_is_computed(ask, platform):
    platform.deployment.assets.delete("tariffs.yaml")
    assert "and no USAGE_TARIFF" in ask(platform).skip_message
    platform.deployment.assets.write_text("tariffs.yaml", "tariffs: []")
    assert "and no USAGE_TARIFF" in ask(platform).skip_message


def test_a_mistake_in_the_file_and_an_empty_lake_are_reasons_to_skip(ask, platform, tmp_path):
    platform.deployment.assets.write_text("tariffs.yaml", FILE.replace("0.25", "x"))
    assert "price: expected a number such as 0.25" in ask(platform).skip_message
    assert ask(Platform(tmp_path / "empty")).skip_message == "no readings yet"
