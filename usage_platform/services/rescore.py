"""Scoring days of the table `readings` again, as the stream would have scored them.

Belongs here: reading what a span of days needs, its past included, and comparing with what the
table `anomalies` says of it. Not here: scoring (`core.anomalies.anomaly`), writing
(`anomaly_table`).
"""

from datetime import date, timedelta

import pandas as pd

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


def rescored(
    reader: LakeReader, judges: ModelTimeline, registry: MeterRegistry, first: date, last: date
) -> tuple[ScoringResult, pd.DataFrame]:
    """Score the readings of some UTC days again.

    Args:
        reader: The lake's tables.
        judges: What readings are judged by.
        registry: The known meters.
        first: The first day.
        last: The last day, inclusive.

    Returns:
        What was found, and the rows of `anomalies` that stand there and were not found, with the
        status `withdrawn` (`ANOMALY_COLUMNS`).
    """
    start = pd.Timestamp(first, tz="UTC")
    columns = ["meter", "event_time", "value"]
    rows = reader.rows(READINGS, columns, (start - LOOK_BACK).date(), last)
    there = standing(reader, first - _EPISODES_BEFORE, last)
    before = there[there["event_time"] < start]
    found = find_anomalies(rows, judges, registry, start, _last_odd(before))
    own = there[there["event_time"] >= start]
    gone = own[~own["anomaly_id"].isin(found.anomalies["anomaly_id"])]
    return found, gone.assign(status=WITHDRAWN)


def standing(
    reader: LakeReader, first: date | None = None, last: date | None = None
) -> pd.DataFrame:
    """The anomalies of some UTC days that were not withdrawn (`ANOMALY_COLUMNS`)."""
    if not reader.exists(ANOMALIES):
        return no_anomalies()
    rows = reader.rows(ANOMALIES, ANOMALY_COLUMNS, first, last)
    return not_withdrawn(rows).reset_index(drop=True)


def _last_odd(before: pd.DataFrame) -> dict[str, LastAnomaly]:
    """Each meter's last odd reading."""
    newest = before.sort_values("event_time").drop_duplicates("meter", keep="last")
    return {
        str(row["meter"]): LastAnomaly(row["event_time"].value, row["episode"])
        for row in newest.to_dict("records")
    }
