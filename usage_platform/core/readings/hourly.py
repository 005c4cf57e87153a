"""The hourly table as a pure function of the readings.

Belongs here: what a row of `usage_hourly` is, in pandas, for micro-batches, for checks and as the
tests' oracle. A backfill computes the same in SQL (`adapters.spark.hourly_sql`), to the last bit.
"""

import numpy as np
import pandas as pd

from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.meter_hours import expected_counts, hour_ends, hour_starts
from usage_platform.core.readings.validation import with_intervals

WATERMARK = pd.Timedelta(hours=1)
"""An hour is final once its meter has sent a reading this long after the hour's end."""

HOURLY_COLUMNS = [
    "meter",
    "start",
    "end",
    "avg_usage",
    "n",
    "expected_n",
    "min_usage",
    "max_usage",
    "energy_kwh",
    "is_final",
    "unit",
]


AUDIT_COLUMNS = ["last_reading", "late_n"]
"""Of each hour, the time of its newest reading, and how many came after it was final."""


def audited_hours(
    readings: pd.DataFrame, registry: MeterRegistry, newest: pd.Series
) -> pd.DataFrame:
    """The rows of `usage_hourly` of the hours that hold these readings.

    Args:
        readings: As for `hourly_from_readings`, with `late`; all the readings of each hour in it.
        registry: Gives each meter's interval and time zone.
        newest: Each meter's newest reading of all (index meter, datetime64[ns, UTC]).

    Returns:
        `HOURLY_COLUMNS` and `AUDIT_COLUMNS`, sorted by meter and start.
    """
    starts = hour_starts(readings["event_time"], readings["meter"], registry)
    keys = [readings["meter"].astype(object), starts.rename("start")]
    audit = readings.groupby(keys).agg(last_reading=("event_time", "max"), late_n=("late", "sum"))
    hours = hourly_from_readings(readings, registry, newest)
    return hours.merge(audit.astype({"late_n": "int32"}), on=["meter", "start"])


def hourly_from_readings(
    readings: pd.DataFrame, registry: MeterRegistry, newest: pd.Series | None = None
) -> pd.DataFrame:
    """Average, minimum, maximum and energy of each hour of each meter.

    Sums are taken in whole milliwatts, so that no order of adding changes the last bit.

    Args:
        readings: `meter`, `event_time` (datetime64[ns, UTC]), `value` (mean kW over the interval,
            or the mean in the meter's unit).
        registry: Gives each meter's interval, unit and time zone.
        newest: Each meter's newest reading (index meter, datetime64[ns, UTC]), for `is_final`; that
            of `readings` by default.

    Returns:
        `HOURLY_COLUMNS`, a row an hour that holds a reading, sorted by meter and start. The hours
        are those of the meter's own clock (`meter_hours`), their times UTC instants, `end`
        exclusive; usages in kW; `energy_kwh` counts the readings that are there, not the missing
        ones. Where the meter's unit is another one, `unit` names it and `energy_kwh` is NaN; else
        `unit` is None.
    """
    frame = pd.DataFrame(
        {
            "meter": readings["meter"].astype(object),
            "start": hour_starts(readings["event_time"], readings["meter"], registry),
            "value": readings["value"],
            "milliwatts": np.rint(readings["value"] * 1e6).astype("int64"),
        }
    )
    sums = frame.groupby(["meter", "start"], as_index=False).agg(
        total=("milliwatts", "sum"),
        n=("value", "size"),
        min_usage=("value", "min"),
        max_usage=("value", "max"),
    )
    hours = with_intervals(sums, registry)
    if newest is None:
        newest = readings.groupby("meter")["event_time"].max()
    end = hour_ends(hours["start"], hours["meter"], registry)
    is_power = hours["unit"] == ReadingUnit.KW
    total_kw = hours["total"] / 1e6
    hours = hours.assign(
        end=end,
        avg_usage=total_kw / hours["n"],
        energy_kwh=(total_kw * hours["interval_minutes"] / 60).where(is_power),
        expected_n=expected_counts(hours, registry),
        is_final=end + WATERMARK <= hours.loc[:, "meter"].map(newest),
        unit=hours["unit"].mask(is_power, None),
    )
    return hours.loc[:, HOURLY_COLUMNS].sort_values(["meter", "start"], ignore_index=True)
