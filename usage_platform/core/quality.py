"""What the tables are checked for: duplicates, missing hours, hours that are not what they should.

Belongs here: pure comparisons of frames. Not here: when they run and how they are shown (`defs`).
"""

from dataclasses import dataclass

import pandas as pd

from usage_platform.core.hourly import HOURLY_COLUMNS, hourly_from_readings
from usage_platform.core.local_time import expected_readings
from usage_platform.core.meters import MeterRegistry


def duplicate_readings(readings: pd.DataFrame) -> int:
    """Rows beyond the first for a (meter, event_time)."""
    return int(readings.duplicated(["meter", "event_time"]).sum())


def incomplete_days(hours: pd.DataFrame, registry: MeterRegistry) -> pd.DataFrame:
    """Local days that lack readings, against the 23, 24 or 25 hours that a day has.

    Args:
        hours: Rows of `usage_hourly`; days are judged from each meter's first to its last day,
            both left out, as they may have begun or ended in the middle.
        registry: Gives each meter's time zone and interval.

    Returns:
        `meter`, `day` (local date), `n`, `expected_n`; only days with n < expected_n.
    """
    parts = []
    for name, own in hours.groupby("meter"):
        meter = registry.get(str(name))
        local_day = own["start"].dt.tz_convert(meter.timezone).dt.date
        counts = own.groupby(local_day)["n"].sum()
        inner = pd.date_range(counts.index.min(), counts.index.max(), inclusive="neither")
        days = pd.Series(0, index=inner.date).add(counts.iloc[1:-1], fill_value=0)
        expected = [
            expected_readings(d, meter.timezone, meter.interval_minutes) for d in days.index
        ]
        parts.append(
            pd.DataFrame(
                {
                    "meter": name,
                    "day": days.index,
                    "n": days.to_numpy("int64"),
                    "expected_n": expected,
                }
            )
        )
    columns = ["meter", "day", "n", "expected_n"]
    found = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    return found[found["n"] < found["expected_n"]].reset_index(drop=True)


@dataclass(frozen=True)
class Comparison:
    """A table against its recompute.

    Attributes:
        compared: Rows in either.
        wrong: Rows that are missing, too many, there twice or different.
    """

    compared: int
    wrong: int


def compare_hours(
    hours: pd.DataFrame, readings: pd.DataFrame, registry: MeterRegistry
) -> Comparison:
    """`usage_hourly` against a recompute from `readings`, to the last bit."""
    expected = _by_key(hourly_from_readings(readings, registry), ["meter", "start"])
    actual = _by_key(hours[HOURLY_COLUMNS], ["meter", "start"])
    return _compare(expected, actual)


def compare_anomalies(table: pd.DataFrame, rescored: pd.DataFrame) -> Comparison:
    """The anomalies that the stream told against those that scoring `readings` again finds.

    Moments that were odd to both, but to another model each, do not count: the stream may have
    judged one before a newer model was trained.
    """
    keys = ["meter", "event_time"]
    models = rescored[[*keys, "model_version"]].merge(table[[*keys, "model_version"]], on=keys)
    other = models[models["model_version_x"] != models["model_version_y"]][keys]
    expected = _by_key(_without(rescored, other, keys), ["anomaly_id"])
    actual = _by_key(_without(table, other, keys)[rescored.columns], ["anomaly_id"])
    return _compare(expected, actual)


def _without(frame: pd.DataFrame, left_out: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    index = pd.MultiIndex.from_frame(frame[keys])
    return frame[~index.isin(pd.MultiIndex.from_frame(left_out))]


def _by_key(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return frame.set_index(keys).sort_index()


def _compare(expected: pd.DataFrame, actual: pd.DataFrame) -> Comparison:
    twice = actual.index.duplicated()
    actual = actual[~twice]
    keys = expected.index.union(actual.index)
    both = expected.index.intersection(actual.index)
    left, right = expected.loc[both], actual.loc[both, expected.columns]
    different = ((left != right) & ~(left.isna() & right.isna())).any(axis=1)
    wrong = len(keys) - len(both) + int(different.sum()) + int(twice.sum())
    return Comparison(len(keys), wrong)
