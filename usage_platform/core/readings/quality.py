"""What the tables are checked for: duplicates, missing hours, hours that are not what they should.

Belongs here: pure comparisons of frames. Not here: when they run and how they are shown (`defs`).
"""

import pandas as pd

from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.core.readings.row_comparison import RowComparison, compare_rows
from usage_platform.core.time.local_time import expected_readings


def duplicate_readings(readings: pd.DataFrame) -> int:
    """Rows beyond the first for a (meter, event_time)."""
    return int(readings.duplicated(["meter", "event_time"]).sum())


def day_counts(hours: pd.DataFrame, registry: MeterRegistry) -> pd.DataFrame:
    """How many readings the hours of each local day hold.

    Args:
        hours: `meter`, `start` and `n` of `usage_hourly`.
        registry: Gives each meter's time zone.

    Returns:
        `meter`, `day` (midnight, local, without a zone), `n`.
    """
    parts = [pd.DataFrame(columns=["day", "n", "meter"])]
    for name, own in hours.groupby("meter"):
        local = own["start"].dt.tz_convert(registry.get(str(name)).timezone).dt.tz_localize(None)
        counts = own.assign(day=local.dt.normalize()).groupby("day")["n"].sum()
        parts.append(counts.reset_index().assign(meter=name))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def days_that_lack(counts: pd.DataFrame, registry: MeterRegistry) -> pd.DataFrame:
    """Local days that lack readings, against the 23, 24 or 25 hours that a day has.

    Args:
        counts: As from `day_counts`; several rows of one day are added up. Days are checked from
            each meter's first to its last day, both left out, as they may have begun or ended in
            the middle.
        registry: Gives each meter's time zone and interval.

    Returns:
        `meter`, `day` (local date), `n`, `expected_n`; only days with n < expected_n.
    """
    columns = ["meter", "day", "n", "expected_n"]
    parts = [pd.DataFrame(columns=columns)]
    for name, own in counts.groupby("meter"):
        meter = registry.get(str(name))
        of_day = own.groupby("day")["n"].sum()
        inner = pd.date_range(of_day.index.min(), of_day.index.max(), inclusive="neither")
        n = of_day.reindex(inner, fill_value=0).to_numpy("int64")
        days = inner.date
        expected = [expected_readings(d, meter.timezone, meter.interval_minutes) for d in days]
        found = pd.DataFrame({"meter": name, "day": days, "n": n, "expected_n": expected})
        parts.append(found[found["n"] < found["expected_n"]])
    return pd.concat(parts[1:] or parts, ignore_index=True)


def compare_hours(
    hours: pd.DataFrame,
    readings: pd.DataFrame,
    registry: MeterRegistry,
    newest: pd.Series | None = None,
) -> RowComparison:
    """`usage_hourly` against a recompute from `readings`, to the last bit.

    Args:
        hours: Rows of `usage_hourly`.
        readings: The readings of the same hours.
        registry: Gives each meter's interval and time zone.
        newest: Each meter's newest reading, as `hourly_from_readings` takes it.
    """
    expected = hourly_from_readings(readings, registry, newest)
    return compare_rows(expected, hours, ["meter", "start"])


def compare_anomalies(table: pd.DataFrame, rescored: pd.DataFrame) -> RowComparison:
    """The anomalies that the stream published against those that scoring `readings` again finds.

    Moments that were anomalous to both, but to another model each, do not count: the stream
    may have scored one before a newer model was trained.
    """
    keys = ["meter", "event_time"]
    models = rescored[[*keys, "model_version"]].merge(table[[*keys, "model_version"]], on=keys)
    other = models[models["model_version_x"] != models["model_version_y"]][keys]
    expected, actual = _without(rescored, other, keys), _without(table, other, keys)
    return compare_rows(expected, actual, ["anomaly_id"])


def _without(frame: pd.DataFrame, left_out: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    index = pd.MultiIndex.from_frame(frame[keys])
    return frame[~index.isin(pd.MultiIndex.from_frame(left_out))]
