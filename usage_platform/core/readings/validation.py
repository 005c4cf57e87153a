"""What a batch of events from the topic `usage` says: readings, rejects, touched hours.

Belongs here: pure decisions on a batch. Not here: the tables they end up in (adapters).
"""

from dataclasses import dataclass

import pandas as pd

from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import kept_bytes, parse_usage

EVENT_PLACE = ["topic", "partition", "offset", "kafka_time"]
"""The columns that name one event: an offset alone comes again after a topic was recreated."""

RAW_COLUMNS = [*EVENT_PLACE, "value"]
READING_COLUMNS = ["meter", "event_time", "value", "kafka_time", "partition", "offset"]
REJECT_COLUMNS = [*EVENT_PLACE, "reason", "detail", "meter", "raw"]


@dataclass(frozen=True)
class Batch:
    """A batch, judged.

    Attributes:
        readings: `READING_COLUMNS`; one row a (meter, event_time), the newest event's.
        rejects: `REJECT_COLUMNS`; `raw` is the event's value (`messages.kept_bytes`).
    """

    readings: pd.DataFrame
    rejects: pd.DataFrame


def validate_events(raw: pd.DataFrame, registry: MeterRegistry) -> Batch:
    """Split a batch into readings and rejects; every event is in just one of them.

    Args:
        raw: `RAW_COLUMNS`; `kafka_time` is datetime64[ns, UTC], the broker's append time.
        registry: The known meters.
    """
    raw = raw.reset_index(drop=True)
    parsed = parse_usage(raw["value"].tolist(), raw.loc[:, "kafka_time"], registry)
    good = parsed["reason"].isna()
    readings = pd.concat(
        [
            parsed.loc[good, ["meter", "event_time", "value"]],
            raw.loc[good, ["kafka_time", "partition", "offset"]],
        ],
        axis=1,
    )
    rejects = pd.concat(
        [
            raw.loc[~good, EVENT_PLACE],
            parsed.loc[~good, ["meter", "reason"]],
            raw.loc[~good, "value"].map(kept_bytes).rename("raw"),
        ],
        axis=1,
    )
    codes = [text.partition(": ") for text in rejects["reason"]]
    rejects = rejects.assign(
        reason=pd.Series([code for code, _, _ in codes], rejects.index, dtype=object),
        detail=pd.Series([detail for _, _, detail in codes], rejects.index, dtype=object),
    )
    rejected = rejects.loc[:, REJECT_COLUMNS].reset_index(drop=True)
    return Batch(newest_per_reading(readings), rejected)


def newest_per_reading(readings: pd.DataFrame) -> pd.DataFrame:
    """Of several events for one (meter, event_time), the one the broker appended last.

    Two partitions may have appended one each in the same millisecond and at the same offset; then
    the higher partition wins, so that the order of the rows never matters.
    """
    ordered = readings.sort_values(["kafka_time", "offset", "partition"])
    newest = ordered.drop_duplicates(["meter", "event_time"], keep="last")
    return newest.loc[:, READING_COLUMNS].sort_values(["meter", "event_time"], ignore_index=True)


def touched_hours(readings: pd.DataFrame, registry: MeterRegistry) -> pd.DataFrame:
    """The hours that these readings lie in.

    Returns:
        `meter`, `start` (datetime64[ns, UTC], a whole UTC hour), `interval_minutes`; distinct.
    """
    hours = pd.DataFrame(
        {"meter": readings["meter"], "start": readings["event_time"].dt.floor("h")}
    ).drop_duplicates(ignore_index=True)
    return with_intervals(hours, registry)


def with_intervals(hours: pd.DataFrame, registry: MeterRegistry) -> pd.DataFrame:
    """`hours` with each meter's `interval_minutes`."""
    minutes = {name: registry.get(name).interval_minutes for name in hours["meter"].unique()}
    return hours.assign(interval_minutes=hours.loc[:, "meter"].map(minutes).astype("int32"))
