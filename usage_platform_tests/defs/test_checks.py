"""The asset checks: right tables pass, and each kind of damage is found. No JVM is needed."""

from datetime import UTC, datetime, timedelta
from importlib import import_module
from pkgutil import iter_modules

import dagster as dg
import numpy as np
import pandas as pd
import pytest

import usage_platform.defs
from usage_platform.adapters.lake.tables import (
    ANOMALIES,
    READINGS,
    REJECTS,
    Lake,
)
from usage_platform.core.anomalies.anomaly import find_anomalies, no_anomalies
from usage_platform.core.detector.baseline.slot_forests import train_slot_forests
from usage_platform.core.detector.manifest import Model, model_version
from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.meters import Meter
from usage_platform.definitions import defs
from usage_platform.defs import anomaly_checks, audit_checks, checks, day_checks
from usage_platform.defs.resources import PlatformResource
from usage_platform_tests.core.detector.made_manifest import manifest
from usage_platform_tests.defs.conftest import dated

METER = "central-library"
START = pd.Timestamp("2024-01-01T05:00:00Z")
JUDGED = START + pd.Timedelta(weeks=5)


@pytest.fixture
def platform(tmp_path, monkeypatch) -> PlatformResource:
    """The platform's resource on a fresh data folder, with hourly readings."""
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("USAGE_INTERVAL_MINUTES", "60")
    return PlatformResource()


@pytest.fixture
def lake(platform) -> Lake:
    return platform.deployment.lake


def readings(days=42):
    times = pd.date_range(START, periods=24 * days, freq="h", unit="ns")
    values = np.random.default_rng(1).random(len(times)).round(3)
    return pd.DataFrame({"meter": METER, "event_time": times, "value": values})


def told(result: dg.AssetCheckResult) -> dict:
    return {key: value.value for key, value in result.metadata.items()}


def test_before_the_first_micro_batch_no_table_is_wrong(platform):
    # These do not look at tables, or want to be told which days.
    others = {
        day_checks.no_reading_twice,
        day_checks.hours_equal_recompute,
        anomaly_checks.model_is_recent,
        audit_checks.sampled_days_equal_kafka,
        audit_checks.no_transaction_hangs,
    }
    for check in defs.asset_checks or ():
        if check not in others:
            assert check(platform).passed


def test_right_tables_pass(platform, fill):
    fill(readings())
    assert checks.hours_complete(platform).passed
    assert checks.tables_readable_everywhere(platform).passed


def test_a_day_that_lacks_readings_is_a_warning_that_names_it(platform, fill):
    rows = readings()
    fill(rows.drop(index=range(50, 53)))
    result = checks.hours_complete(platform)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert told(result)["missing_readings"] == 3
    assert told(result)["days"] == f"- {METER} 2024-01-03: 21 of 24"


def test_a_table_that_athena_could_not_read_is_found(platform, lake, fill):
    from deltalake import DeltaTable
    from deltalake.table import TableFeatures

    fill(readings())
    table = DeltaTable(lake.table(READINGS))
    table.alter.add_feature(TableFeatures.DeletionVectors, allow_protocol_versions_increase=True)
    result = checks.tables_readable_everywhere(platform)
    assert not result.passed
    assert told(result) == {"readings_reader_version": 3, "usage_hourly_reader_version": 1}


@pytest.mark.parametrize(("count", "passed"), [(0, True), (10, True), (11, False)])
def test_more_than_one_reject_in_a_hundred_is_a_warning_with_the_reasons(
    platform, lake, fill, write_table, count, passed
):
    rows = readings().iloc[:990]
    fill(rows)
    rejects = pd.DataFrame({"reason": ["not_json", *["negative"] * 20][:count]})
    write_table(lake, REJECTS, rejects.assign(received_date=START.date()))
    result = checks.few_rejects(platform)
    assert result.passed == passed
    assert result.severity == dg.AssetCheckSeverity.WARN
    if count:
        assert told(result)["reasons"] == {"not_json": 1, "negative": count - 1}


@pytest.fixture(scope="module")
def forests():
    rows = readings()
    history = rows[rows["event_time"] < JUDGED]
    meter = Meter(METER, interval_minutes=60)
    return {METER: train_slot_forests(history, meter, lambda done, total: None)}


@pytest.fixture
def train(platform, forests):
    """Store a model of the readings before `JUDGED`, as if it had been trained then."""

    def make(trained_at, promoted=True):
        made = manifest(model_version(JUDGED, forests), JUDGED, trained_at=trained_at.isoformat())
        models = platform.deployment.models
        models.save(Model(made, forests))
        models.promote([made.version] if promoted else [])

    return make


@pytest.mark.parametrize(("days", "passed"), [(7, True), (9, False)])
def test_a_model_older_than_eight_days_is_a_warning(platform, train, days, passed):
    train(datetime.now(UTC) - timedelta(days=days))
    result = anomaly_checks.model_is_recent(platform)
    assert result.passed == passed
    assert told(result)["age_days"] == pytest.approx(days, abs=0.1)


def test_no_model_in_force_is_a_warning(platform, train):
    train(datetime.now(UTC), promoted=False)
    result = anomaly_checks.model_is_recent(platform)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.WARN)


@pytest.fixture
def tell(platform, lake, fill, train, write_table):
    """A lake whose anomalies are those that scoring finds, or as they are damaged."""

    def make(damage):
        fill(readings())
        train(datetime.now(UTC))
        deployment = platform.deployment
        found = find_anomalies(readings(), deployment.timeline(), deployment.registry()).anomalies
        newest = readings()["event_time"].max().floor("D")
        week = found[found["event_time"] >= newest - pd.Timedelta(days=7)]
        assert len(week) > 3
        damaged = damage(week.reset_index(drop=True))
        write_table(lake, ANOMALIES, dated(damaged, "event_time"))
        return anomaly_checks.stream_equals_rescoring(platform)

    return make


def test_anomalies_that_scoring_again_finds_pass_even_if_older_ones_are_not_told(tell):
    # The newest week only: what is older is not looked at.
    result = tell(lambda week: week)
    assert result.passed
    assert told(result)["anomalies_compared"] > 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda week: week.drop(index=1),
        lambda week: week.assign(usage=week["usage"] + (week.index == 1)),
        lambda week: week.assign(explanation=["because", *week["explanation"][1:]]),
        lambda week: pd.concat([week, week.iloc[:1].assign(anomaly_id="0" * 16)]),
        lambda week: week.assign(status=["withdrawn", *week["status"][1:]]),
    ],
    ids=["missing", "other number", "other words", "made up", "wrongly withdrawn"],
)
def test_an_anomaly_that_is_missing_other_or_made_up_is_found(tell, damage):
    result = tell(damage)
    assert (result.passed, result.severity) == (False, dg.AssetCheckSeverity.ERROR)
    assert told(result)["anomalies_wrong"] == 1


def test_what_was_withdrawn_need_not_be_found_again(tell):
    gone = {"anomaly_id": "0" * 16, "status": "withdrawn"}
    result = tell(lambda week: pd.concat([week, week.iloc[:1].assign(**gone)]))
    assert result.passed


@pytest.mark.parametrize(("says", "told_of"), [(Verdict.PLANNED, 0), (Verdict.FALSE, 1)])
def test_what_was_told_before_people_said_that_it_was_planned_is_right(
    platform, tell, says, told_of
):
    """A planned stretch is left out on both sides; any other label changes nothing of the past."""
    labels = platform.deployment.labels
    before = told(tell(lambda week: week))["anomalies_compared"]
    table = platform.deployment.reader.rows(ANOMALIES)
    at = table["event_time"].min()
    labels.add(METER, at, at + pd.Timedelta(minutes=60), says, "")
    result = anomaly_checks.stream_equals_rescoring(platform)
    assert result.passed
    assert told(result)["anomalies_compared"] == before - 1 + told_of


def test_before_anything_was_scored_there_is_nothing_to_compare(platform, lake, fill, write_table):
    fill(readings())
    empty = no_anomalies()
    write_table(lake, ANOMALIES, empty.assign(event_date=pd.Series(dtype=object)))
    result = anomaly_checks.stream_equals_rescoring(platform)
    assert (result.passed, result.description) == (True, "nothing scored yet")


def test_anomalies_that_the_stream_has_not_told_yet_are_not_missing(tell):
    result = tell(lambda week: week.iloc[:-2])
    assert result.passed
    assert told(result)["not_published_yet"] == 2


def test_every_check_is_registered():
    names = [module.name for module in iter_modules(usage_platform.defs.__path__)]
    modules = [import_module(f"usage_platform.defs.{name}") for name in names]
    named = [value for module in modules for value in vars(module).values()]
    made = {value for value in named if isinstance(value, dg.AssetChecksDefinition)}
    assert made
    assert made == set(defs.asset_checks or ())
