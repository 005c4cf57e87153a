"""Which events of a batch the scorer takes together, and which it leaves for later.

Belongs here: events that wait for the next model, and portions small enough for a deadline. Not
here: scoring and committing a portion (`score`).
"""

from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd
from confluent_kafka import Message

from usage_platform.core.anomalies.silence import LIVE
from usage_platform.core.readings.validation import Batch

_MOST_WORK, _LEAST_WORK = 20_000.0, 200.0
_SERIES_WORK = 200.0
_SECONDS = 5.0


def held_offsets(batch: Batch, horizon: pd.Timestamp | None) -> dict[int, int]:
    """The first offset of each partition that waits for the next model.

    Args:
        batch: The events, validated.
        horizon: From when on readings of the past wait; None if none waits.
    """
    if horizon is None:
        return {}
    readings = batch.readings
    age = readings["kafka_time"] - readings["event_time"]
    waits = (readings["event_time"] >= horizon) & ~(age < LIVE)
    waiting = readings.loc[waits.to_numpy(np.bool_)]
    first = waiting.sort_values("offset").drop_duplicates("partition")
    pairs = zip(first["partition"].tolist(), first["offset"].tolist(), strict=True)
    return {int(partition): int(offset) for partition, offset in pairs}


def is_held(message: Message, held: Mapping[int, int]) -> bool:
    """Whether a message waits, by the result of `held_offsets`."""
    first = held.get(message.partition() or 0)
    return first is not None and (message.offset() or 0) >= first


class Pace:
    """How much work fits into a portion: about five seconds of it, by what the last one took.

    A reading is one unit of work. A late reading, or the first one of a meter, makes the scorer
    score a series again: that takes as long as some hundreds of readings.
    """

    def __init__(self) -> None:
        self.most_work = _MOST_WORK

    def took(self, work: float, seconds: float) -> None:
        """Learn from a portion."""
        fits = work * _SECONDS / max(seconds, 1e-3)
        self.most_work = min(max(fits, _LEAST_WORK), _MOST_WORK)


def portions(
    messages: list[Message],
    readings: pd.DataFrame,
    newest: Callable[[str], int | None],
    most_work: float,
) -> list[tuple[list[Message], float]]:
    """Split a batch into portions, each with its work; at least one message each.

    Args:
        messages: The batch, in the order in which it was consumed.
        readings: Its valid events, `core.readings.validation.READING_COLUMNS`.
        newest: The newest reading of a meter that was scored, ns since 1970 UTC; None before it.
        most_work: The most work of a portion.
    """
    series = _scored_as_series(readings, newest)
    parts: list[tuple[list[Message], float]] = []
    part: list[Message] = []
    meters: set[str] = set()
    work = 0.0
    for message in messages:
        meter = series.get((message.partition() or 0, message.offset() or 0))
        more = 1.0 if meter is None or meter in meters else _SERIES_WORK
        if part and work + more > most_work:
            parts.append((part, work))
            part, work, meters = [], 0.0, set[str]()
            more = 1.0 if meter is None else _SERIES_WORK
        part.append(message)
        work += more
        if meter is not None:
            meters.add(meter)
    return [*parts, (part, work)] if part else parts


def _scored_as_series(
    readings: pd.DataFrame, newest: Callable[[str], int | None]
) -> dict[tuple[int, int], str]:
    """The meters of readings that are late or their meter's first, by partition and offset."""
    known = {str(meter): newest(str(meter)) for meter in readings["meter"].unique()}
    last = readings["meter"].map(known).astype("float64")
    is_late = ~(readings["event_time"].astype("int64") > last)
    late = readings[is_late]
    places = zip(late["partition"].tolist(), late["offset"].tolist(), strict=True)
    return dict(zip(places, late["meter"].tolist(), strict=True))


def first_offsets(messages: Iterable[Message]) -> dict[int, int]:
    """By partition, the offset of the first of some messages, which are in order."""
    first: dict[int, int] = {}
    for message in messages:
        first.setdefault(message.partition() or 0, message.offset() or 0)
    return first
