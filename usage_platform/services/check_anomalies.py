"""What the asset checks ask of the table `anomalies`: is it complete, does it keep the budget.

Belongs here: comparing what the stream published with scoring again, and counting alarm days. Not
here: how a check reports it (`defs`), scoring again (`rescore`).
"""

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.core.detector.gate import days_allowed
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.feedback.labels import silenced
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.quality import compare_anomalies
from usage_platform.core.time.units import instants_of
from usage_platform.services.rescore import rescored, standing

_COMPARED = timedelta(days=7)
_BUDGET_WEEKS = 4


@dataclass(frozen=True)
class StreamComparison:
    """The anomalies of the newest week beside those of scoring its readings again.

    Attributes:
        compared: Anomalies compared.
        wrong: Those that are missing, extra or different.
        unpublished: Anomalies newer than the table's newest, which the stream may publish yet.
    """

    compared: int
    wrong: int
    unpublished: int


def compare_stream(
    reader: LakeReader, timeline: ModelTimeline, registry: MeterRegistry
) -> StreamComparison | None:
    """Compare the table `anomalies` with scoring the newest week of `readings` again.

    Args:
        reader: The lake's tables.
        timeline: The active models.
        registry: The known meters.

    Returns:
        None before anything was scored.
    """
    span = reader.span(USAGE_HOURLY, "start")
    if not timeline.manifests or span is None:
        return None
    last = span[1].date()
    first = last - _COMPARED
    again, _ = rescored(reader, timeline, registry, first, last)
    table = standing(reader, first, last)
    table = table[~_labelled_later(table, timeline.labels)]
    waiting = _newer(again.anomalies, table)
    result = compare_anomalies(table, again.anomalies.drop(index=waiting))
    return StreamComparison(result.compared, result.wrong, len(waiting))


def _labelled_later(table: pd.DataFrame, labels: pd.DataFrame) -> pd.Series:
    """Anomalies that were published before somebody labelled the time as planned."""
    planned = pd.Series(False, index=table.index)
    for meter, rows in table.groupby("meter"):
        instants = instants_of(rows.loc[:, "event_time"])
        planned.loc[rows.index] = silenced(str(meter), instants, labels)
    return planned


def _newer(again: pd.DataFrame, table: pd.DataFrame) -> pd.Index:
    """Anomalies newer than the table's newest: the stream may not have come so far."""
    if table.empty:
        return again.index
    return again.index[again["event_time"] > table["event_time"].max()]


@dataclass(frozen=True)
class AlarmDays:
    """Local days with an anomaly in the last four weeks, against the alarm budget.

    Attributes:
        allowed: Days that budget and chance allow a meter.
        over: Days of each meter that has more.
    """

    allowed: float
    over: dict[str, int]


def alarm_days(
    reader: LakeReader, registry: MeterRegistry, alarms_per_week: float
) -> AlarmDays | None:
    """Count the alarm days of each meter.

    Args:
        reader: The lake's tables.
        registry: The known meters, which give the days' zones.
        alarms_per_week: The alarm budget.

    Returns:
        None before there are readings.
    """
    span = reader.span(READINGS, "event_time")
    if span is None:
        return None
    rows = standing(reader, span[1].date() - timedelta(weeks=_BUDGET_WEEKS))
    counts = {
        str(meter): of_meter["event_time"]
        .dt.tz_convert(registry.get(str(meter)).timezone)
        .dt.date.nunique()
        for meter, of_meter in rows.groupby("meter")
    }
    allowed = days_allowed(alarms_per_week, _BUDGET_WEEKS)
    return AlarmDays(allowed, {meter: days for meter, days in counts.items() if days > allowed})
