"""Half-hour zones through Kafka, Spark and Delta: stream and backfill give the clock's hours."""

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_writer import delete_rows
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.services.backfill import recompute_range
from usage_platform.services.check_days import find_wrong_hours
from usage_platform.services.ingest import drain_usage
from usage_platform_tests.adapters.lake.half_hour_meters import (
    CHANGES,
    METERS,
    REGISTRY,
    apply,
    assert_clock_hours,
    days_of,
    readings_around,
)
from usage_platform_tests.adapters.lake.test_clock_hours import as_a_former_version_left_it

pytestmark = pytest.mark.spark


def ignore(line: str) -> None:
    """A backfill's progress, which nobody reads."""


def hours(lake) -> pd.DataFrame:
    rows = LakeReader(lake).rows(USAGE_HOURLY)
    return rows.sort_values(["meter", "start"], ignore_index=True)


@pytest.mark.kafka
def test_events_of_all_zones_and_changes_become_the_clocks_hours(fresh_topics, put, spark, lake):
    kafka = fresh_topics()
    create_tables(lake)
    for change in CHANGES:
        put(kafka, [one.payload for one in readings_around(change)])
        drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    assert set(LakeReader(lake).rows(READINGS, ["meter"])["meter"]) == {
        meter.name for meter in METERS
    }
    assert_clock_hours(lake)
    checked = find_wrong_hours(
        LakeReader(lake), REGISTRY, None, lambda: None, lambda: pd.Timestamp.now(tz="UTC")
    )
    assert (checked.compared, checked.wrong) == (len(hours(lake)), 0)


@pytest.mark.parametrize("change", CHANGES)
def test_a_backfill_gives_the_hours_of_the_stream(spark, lake, change):
    create_tables(lake)
    apply(lake, readings_around(change))
    before = hours(lake)
    first, last = days_of(change)
    recompute_range(spark, lake, REGISTRY, first, last, ignore)
    pd.testing.assert_frame_equal(hours(lake), before, check_exact=True)
    lost = before[before["start"].dt.hour % 5 == 3]
    delete_rows(lake, USAGE_HOURLY, lost, ["meter", "start"])
    recompute_range(spark, lake, REGISTRY, first, last, ignore)
    assert_clock_hours(lake)


def test_a_backfill_replaces_the_hours_of_a_former_version(spark, lake):
    create_tables(lake)
    apply(lake, readings_around("2024-10-05"))
    as_a_former_version_left_it(lake)
    for day in pd.date_range(*days_of("2024-10-05")):
        recompute_range(spark, lake, REGISTRY, day.date(), day.date(), ignore)
    assert_clock_hours(lake)
