"""Neither a batch nor a backfill computes hours with another interval; Spark is not reached."""

from datetime import date

import pandas as pd
import pytest

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import usage_messages
from usage_platform.core.readings.validation import RAW_COLUMNS
from usage_platform.services.backfill import recompute_days

DAY = date(2024, 3, 5)
START = pd.Timestamp("2024-03-05T10:00:00Z")
QUARTERS = MeterRegistry(Meter("library", interval_minutes=15))
FIVES = MeterRegistry(Meter("library", interval_minutes=5))


class UsedSparkError(Exception):
    """The work got as far as Spark."""


class NoSpark:
    """A session that nothing may use."""

    def __getattr__(self, name):
        raise UsedSparkError(name)


@pytest.fixture
def of_five_minutes(lake, write_table):
    """A lake with an hour that was computed of 5-minute readings."""
    times = pd.date_range(START, periods=12, freq="5min", unit="ns")
    readings = pd.DataFrame({"meter": "library", "event_time": times, "value": 1.0})
    write_table(lake, READINGS, readings.assign(event_date=DAY))
    hour = {"meter": "library", "start": START, "event_date": DAY, "n": 12, "expected_n": 12}
    write_table(lake, USAGE_HOURLY, pd.DataFrame([{**hour, "last_reading": times[-1]}]))
    create_tables(lake)
    return lake


def test_a_backfill_with_another_interval_is_refused(of_five_minutes):
    with pytest.raises(LakeError, match=r"meter library: .* USAGE_INTERVAL_MINUTES=5 "):
        recompute_days(NoSpark(), of_five_minutes, QUARTERS, DAY, DAY)
    with pytest.raises(UsedSparkError):
        recompute_days(NoSpark(), of_five_minutes, FIVES, DAY, DAY)


@pytest.mark.parametrize("later", [pd.Timedelta(hours=1), pd.Timedelta(days=3)])
def test_a_batch_with_another_interval_is_refused(of_five_minutes, later):
    frame = pd.DataFrame({"meter": "library", "ts": [START + later], "value": [1.0]})
    now = pd.Timestamp.now(tz="UTC").as_unit("ns")
    value = usage_messages(frame)[0]
    known = {"topic": "usage", "partition": 0, "offset": 0, "kafka_time": now, "key": None}
    raw = pd.DataFrame([known | {"value": value}])[RAW_COLUMNS]
    with pytest.raises(LakeError, match="meter library: "):
        apply_events(of_five_minutes, QUARTERS, raw)
    assert LakeReader(of_five_minutes).state(READINGS).rows == 12
    apply_events(of_five_minutes, FIVES, raw)
    assert LakeReader(of_five_minutes).state(READINGS).rows == 13
