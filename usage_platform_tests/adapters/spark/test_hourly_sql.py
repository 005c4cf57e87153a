"""Hours that a backfill recomputes in Spark are those that the batches made, to the last bit."""

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.services.backfill import recompute_days
from usage_platform_tests import oracle
from usage_platform_tests.adapters.lake.busy_topic import (
    MINUTES,
    REGISTRY,
    SPRING,
    apply,
    busy_topic,
)
from usage_platform_tests.oracle import assert_right

pytestmark = pytest.mark.spark


@pytest.fixture(scope="module")
def topic():
    return busy_topic()


@pytest.fixture
def filled(lake, topic):
    """A lake that the busy topic came into in one batch."""
    create_tables(lake)
    apply(lake, topic)
    return lake


@pytest.fixture
def empty(lake):
    create_tables(lake)
    return lake


@pytest.mark.parametrize("parts", [1, 3])
def test_no_order_split_repetition_or_backfill_changes_the_tables(spark, empty, topic, parts):
    shuffled = [topic[n] for n in np.random.default_rng(parts).permutation(len(topic))]
    batches = [shuffled[n::parts] for n in range(parts)]
    for n, batch in enumerate(batches):
        apply(empty, batch)
        if n:
            apply(empty, batches[0])
            recompute_days(spark, empty, REGISTRY, SPRING, SPRING)
    assert_right(empty, topic, MINUTES)


def test_a_backfill_changes_nothing_where_the_hours_are_right(spark, filled):
    before = {table: oracle.rows_in(filled, table) for table in oracle.KEYS}
    recompute_days(spark, filled, REGISTRY, SPRING, SPRING)
    for table, rows in before.items():
        pd.testing.assert_frame_equal(oracle.rows_in(filled, table), rows, check_exact=True)


def test_a_backfill_mends_hours_that_were_damaged_or_lost(spark, filled, topic):
    table, day = filled.sql(USAGE_HOURLY), SPRING.isoformat()
    wrong = "avg_usage = avg_usage + 1e-9, is_final = false, last_reading = NULL"
    morning = f"event_date = '{day}' AND hour(start) < 12"
    spark.sql(f"UPDATE {table} SET {wrong} WHERE {morning}").collect()
    lost = f"event_date = '{day}' AND hour(start) = 15"
    spark.sql(f"DELETE FROM {table} WHERE {lost}").collect()
    with pytest.raises(AssertionError):
        assert_right(filled, topic, MINUTES)
    recompute_days(spark, filled, REGISTRY, SPRING, SPRING)
    assert_right(filled, topic, MINUTES)
