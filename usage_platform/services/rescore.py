"""Scoring days of the table `readings` again, as the stream would have scored them.

Belongs here: reading what a span of days needs, its past included, comparing with the table
`anomalies`, and writing the differences. Not here: scoring (`core.anomalies.anomaly`), merging
(`adapters.lake.anomaly_table`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.lake.anomaly_table import merge_rescored
from usage_platform.adapters.lake.day_stretches import Stretch, day_stretches
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS
from usage_platform.core.anomalies.anomaly import (
    ANOMALY_COLUMNS,
    WITHDRAWN,
    ScoringResult,
    find_anomalies,
    no_anomalies,
    not_withdrawn,
)
from usage_platform.core.anomalies.episodes import LastAnomaly
from usage_platform.core.detector.model_timeline import LOOK_BACK, ModelTimeline
from usage_platform.core.meters import MeterRegistry

_EPISODES_BEFORE = timedelta(days=2)
# Readings that are in memory, the past that they are scored by included; or those of one meter.
_ROWS_AT_ONCE = 2_000_000


@dataclass
class RescoredDays:
    """The result of scoring days again.

    Attributes:
        scored: Readings with an expected range.
        anomalies: Anomalies among them, those that the table had already included.
        withdrawn: Anomalies of the table that are none any more.
    """

    scored: int = 0
    anomalies: int = 0
    withdrawn: int = 0


def rescore_days(
    reader: LakeReader,
    timeline: ModelTimeline,
    registry: MeterRegistry,
    first: date,
    last: date,
    progress: Callable[[str], None],
) -> RescoredDays:
    """Score the readings of some UTC days again, and update the table `anomalies` to the result.

    Args:
        reader: The lake's tables.
        timeline: The active models.
        registry: The known meters.
        first: The first day.
        last: The last day, inclusive.
        progress: Called with a line after each stretch of days; what it raises ends the work.
    """
    total = RescoredDays()
    for day, until in _stretches(reader, first, last):
        before = total.anomalies
        for meters in _groups_of_meters(reader, day, until):
            # Before the readings are read: what the stream publishes of later ones stays.
            at = pd.Timestamp.now(tz="UTC")
            result, gone = rescored(reader, timeline, registry, day, until, meters)
            changes = pd.concat([result.anomalies, gone], ignore_index=True)
            merge_rescored(reader.lake, changes, at)
            total.scored += result.scored
            total.anomalies += len(result.anomalies)
            total.withdrawn += len(gone)
        progress(f"{day} to {until}: {total.anomalies - before:,} anomalies")
    return total


def _stretches(reader: LakeReader, first: date, last: date) -> list[Stretch]:
    """The days of `readings` and of `anomalies`, as many together as fit."""
    days = {
        day
        for table in (READINGS, ANOMALIES)
        for day in reader.day_files(table).files
        if first <= day <= last
    }
    return day_stretches(reader, READINGS, sorted(days), _ROWS_AT_ONCE)


def _groups_of_meters(reader: LakeReader, first: date, last: date) -> list[list[str]] | list[None]:
    """The meters in groups whose readings fit, with their past; one of None for all together."""
    since = (pd.Timestamp(first) - LOOK_BACK).date()
    files = reader.files(READINGS)
    rows = int(files.loc[(files["day"] >= since) & (files["day"] <= last), "rows"].sum())
    if rows <= _ROWS_AT_ONCE:
        return [None]
    names = {*reader.meters(READINGS, since, last)}
    if reader.exists(ANOMALIES):
        names |= {*reader.meters(ANOMALIES, first, last)}
    size = max(1, len(names) * _ROWS_AT_ONCE // rows)
    ordered = sorted(names)
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


def rescored(
    reader: LakeReader,
    timeline: ModelTimeline,
    registry: MeterRegistry,
    first: date,
    last: date,
    meters: Sequence[str] | None = None,
) -> tuple[ScoringResult, pd.DataFrame]:
    """Score the readings of some UTC days again.

    Args:
        reader: The lake's tables.
        timeline: What readings are scored by.
        registry: The known meters.
        first: The first day.
        last: The last day, inclusive.
        meters: Only these meters; all by default.

    Returns:
        What was found, and the rows of `anomalies` that stand there and were not found, with the
        status `withdrawn` (`ANOMALY_COLUMNS`).
    """
    start = pd.Timestamp(first, tz="UTC")
    columns = ["meter", "event_time", "value"]
    rows = reader.rows(READINGS, columns, (start - LOOK_BACK).date(), last, meters)
    there = standing(reader, first - _EPISODES_BEFORE, last, meters)
    before = there[there["event_time"] < start]
    found = find_anomalies(rows, timeline, registry, start, _last_odd(before))
    own = there[there["event_time"] >= start]
    gone = own[~own["anomaly_id"].isin(found.anomalies["anomaly_id"])]
    return found, gone.assign(status=WITHDRAWN)


def standing(
    reader: LakeReader,
    first: date | None = None,
    last: date | None = None,
    meters: Sequence[str] | None = None,
) -> pd.DataFrame:
    """The anomalies of some UTC days and meters that were not withdrawn (`ANOMALY_COLUMNS`)."""
    if not reader.exists(ANOMALIES):
        return no_anomalies()
    rows = reader.rows(ANOMALIES, ANOMALY_COLUMNS, first, last, meters)
    return not_withdrawn(rows).reset_index(drop=True)


def _last_odd(before: pd.DataFrame) -> dict[str, LastAnomaly]:
    """Each meter's last anomaly."""
    newest = before.sort_values("event_time").drop_duplicates("meter", keep="last")
    return {
        str(row["meter"]): LastAnomaly(row["event_time"].value, row["episode"])
        for row in newest.to_dict("records")
    }
