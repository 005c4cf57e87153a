"""What a batch of events from the topic `usage` says: readings, rejects, touched hours.

Belongs here: pure decisions on a batch. Not here: the tables they end up in, and where the names of
the accepted meters are kept (adapters).
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.messages import kept_bytes, parse_usage
from usage_platform.core.readings.meter_hours import hour_starts
from usage_platform.core.readings.reject_reasons import KEPT_BYTES, Reason

EVENT_PLACE = ["topic", "partition", "offset", "kafka_time"]
"""The columns that name one event: an offset alone comes again after a topic was recreated."""

RAW_COLUMNS = [*EVENT_PLACE, "key", "value"]
READING_COLUMNS = ["meter", "event_time", "value", "kafka_time", "partition", "offset"]
REJECT_COLUMNS = [*EVENT_PLACE, "reason", "detail", "meter", "key", "raw"]

Admit = Callable[[Sequence[str], MeterRegistry], Collection[str]]
"""Says which of some meters' events are accepted, where the number of meters is limited: the names
are of meters that no source describes, each once, in the order in which the broker received their
first readings of a batch."""


@dataclass(frozen=True)
class Batch:
    """A batch, validated.

    Attributes:
        readings: `READING_COLUMNS`; one row a (meter, event_time), the newest event's.
        rejects: `REJECT_COLUMNS`; `raw` is the event's value (`messages.kept_bytes`).
        superseded: The number of valid events that are not among the readings, as a newer event of
            the batch is for the same meter and time.
    """

    readings: pd.DataFrame
    rejects: pd.DataFrame
    superseded: int


def admit_all(names: Sequence[str], registry: MeterRegistry) -> Collection[str]:
    """Accept all meters: for readers that keep nothing by meter."""
    del registry
    return names


def validate_events(raw: pd.DataFrame, registry: MeterRegistry, admit: Admit = admit_all) -> Batch:
    """Split a batch into readings and rejects; every event is in just one of them.

    Args:
        raw: `RAW_COLUMNS`; `kafka_time` is datetime64[ns, UTC], the broker's append time.
        registry: The known meters, and the limits.
        admit: Decides on the meters that no source describes.
    """
    raw = raw.reset_index(drop=True)
    values, keys = raw["value"].tolist(), raw["key"].tolist()
    parsed = parse_usage(values, keys, raw.loc[:, "kafka_time"], registry)
    _reject_meters(parsed, raw, registry, admit)
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
            # A key that is cut is no name of a meter, as it was none before.
            raw.loc[~good, "key"].map(lambda key: key[:KEPT_BYTES], na_action="ignore"),
            raw.loc[~good, "value"].map(partial(kept_bytes, limits=registry.limits)).rename("raw"),
        ],
        axis=1,
    )
    codes = [text.partition(": ") for text in rejects["reason"]]
    rejects = rejects.assign(
        reason=pd.Series([code for code, _, _ in codes], rejects.index, dtype=object),
        detail=pd.Series([detail for _, _, detail in codes], rejects.index, dtype=object),
    )
    rejected = rejects.loc[:, REJECT_COLUMNS].reset_index(drop=True)
    newest = newest_per_reading(readings)
    return Batch(newest, rejected, superseded=len(readings) - len(newest))


def _reject_meters(
    parsed: pd.DataFrame, raw: pd.DataFrame, registry: MeterRegistry, admit: Admit
) -> None:
    """Give a reason to the otherwise valid events of meters that are not accepted.

    Args:
        parsed: As from `parse_usage`; changed.
        raw: The events, with the same index.
        registry: The known meters, and the limits.
        admit: As for `validate_events`.
    """
    good = parsed["reason"].isna().to_numpy()
    appended = raw["kafka_time"].to_numpy("datetime64[ns]")
    order = np.lexsort((raw["partition"].to_numpy(), raw["offset"].to_numpy(), appended))
    names = [str(name) for name in parsed["meter"].iloc[order[good[order]]].unique()]
    allowed = registry.limits.allowed_meters
    similar = {n for n in names if n not in allowed and registry.is_like_another(n)}
    _refuse(parsed, similar, Reason.SIMILAR_METER, registry)
    names = [name for name in names if name not in similar]
    if allowed:
        # A group consists of meters that are allowed.
        refused, reason = set(names) - allowed - registry.groups, Reason.METER_NOT_ALLOWED
    else:
        new = [name for name in names if not registry.describes(name)]
        refused = set(new) - set(admit(new, registry)) if new else set[str]()
        reason = Reason.TOO_MANY_METERS
    _refuse(parsed, refused, reason, registry)


def _refuse(
    parsed: pd.DataFrame, names: Collection[str], reason: Reason, registry: MeterRegistry
) -> None:
    """Give a reason to the events of some meters that have none yet; `parsed` is changed."""
    if names:
        of_them = parsed["reason"].isna() & parsed["meter"].isin(names)
        parsed.loc[of_them, "reason"] = reason.filled(registry.limits)


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
        `meter`, `start` (datetime64[ns, UTC], of an hour of the meter's clock), `interval_minutes`,
        `unit`;
        distinct.
    """
    starts = hour_starts(readings["event_time"], readings["meter"], registry)
    hours = pd.DataFrame({"meter": readings["meter"], "start": starts})
    hours = hours.drop_duplicates(ignore_index=True)
    return with_intervals(hours, registry)


def with_intervals(hours: pd.DataFrame, registry: MeterRegistry) -> pd.DataFrame:
    """`hours` with each meter's `interval_minutes`, and the `unit` of its readings (text)."""
    meters = {name: registry.get(name) for name in hours["meter"].unique()}
    names = hours.loc[:, "meter"]
    return hours.assign(
        interval_minutes=names.map({n: m.interval_minutes for n, m in meters.items()}).astype(
            "int32"
        ),
        unit=names.map({n: m.unit.value for n, m in meters.items()}).astype(object),
    )
