"""The self-audit: what the topic says of some days against what the tables say, row by row.

Belongs here: pure decisions: which days, which stretch of the topic, what to compare.
Not here: reading the topic and the tables (`services.audit`), when it runs (`defs`).
"""

import random
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.hourly import HOURLY_COLUMNS, hourly_from_readings
from usage_platform.core.readings.meter_hours import hour_starts
from usage_platform.core.readings.row_comparison import RowComparison, compare_rows
from usage_platform.core.readings.validation import EVENT_PLACE, Admit, validate_events

READING_KEYS = ["meter", "event_time"]
HOUR_KEYS = ["meter", "start"]
REJECT_COLUMNS = [*EVENT_PLACE, "raw"]
# Whether an hour is final depends on readings of other days.
COMPARED_HOURLY = [name for name in HOURLY_COLUMNS if name != "is_final"]

_PLACE = ["partition", "offset"]


def sampled_days(days: Collection[date], count: int, seed: int) -> list[date]:
    """Days drawn at random, each at most once, ascending; of the same days a seed draws the same.

    Args:
        days: The days to draw from, each once, in any order.
        count: How many, if there are so many.
        seed: Of the draw.
    """
    drawn = random.Random(seed).sample(sorted(days), min(count, len(days)))  # noqa: S311 - a sample
    return sorted(drawn)


@dataclass(frozen=True)
class Stretch:
    """A stretch of the broker's time.

    Attributes:
        start: The first instant, UTC; None for the topic's beginning.
        end: The last instant, UTC, inclusive; None for the topic's end.
    """

    start: pd.Timestamp | None
    end: pd.Timestamp | None


def received_between(received: pd.DataFrame, day: date) -> Stretch:
    """When the broker received what belongs to a day, and up to what came before and after it.

    A reading that the table lost at the day's edge was received between the rows that are there
    and those of the neighbouring days.

    Args:
        received: `day` (UTC date of the readings), `first` and `last` (the least and the largest
            `kafka_time` of its rows, UTC); a row a day that has readings.
        day: The UTC date.
    """
    own = received[received["day"] == day]
    before, after = received[received["day"] < day], received[received["day"] > day]
    starts: list[pd.Timestamp] = [
        *own["first"],
        *before[before["day"] == before["day"].max()]["last"],
    ]
    ends: list[pd.Timestamp] = [*own["last"], *after[after["day"] == after["day"].min()]["first"]]
    return Stretch(
        start=min(starts) if len(before) else None, end=max(ends) if len(after) else None
    )


@dataclass(frozen=True, eq=False)
class TopicSample:
    """Events that were read from the topic, and what they stand for.

    Attributes:
        events: `core.readings.validation.RAW_COLUMNS`.
        stretches: `partition`, `start`, `end`: the offsets that were read, the end exclusive.
        retained: The first offset of each partition that the topic still holds.
        ends: One past the last offset of each partition.
        ingested: One past the last offset of each partition that is in the lake.
    """

    events: pd.DataFrame
    stretches: pd.DataFrame
    retained: dict[int, int]
    ends: dict[int, int]
    ingested: dict[int, int]


@dataclass(frozen=True)
class Audit:
    """What an audit found.

    Attributes:
        readings: The days' readings.
        hours: The days' hours, but those of which an event was not read.
        rejects: The rejects of the stretches that were read.
        events: Events read.
        not_retained: Rows of `readings` whose event the topic no longer holds: not compared.
        not_read: Rows of `readings` whose event lies outside of what was read: not compared.
        to_redrive: Rejects that are readings by today's rules and settings.
    """

    readings: RowComparison
    hours: RowComparison
    rejects: RowComparison
    events: int
    not_retained: int
    not_read: int
    to_redrive: int

    @property
    def rows_compared(self) -> int:
        """Rows compared, of all tables."""
        return self.readings.compared + self.hours.compared + self.rejects.compared

    @property
    def rows_wrong(self) -> int:
        """Rows that are missing, too many or different, of all tables."""
        return self.readings.wrong + self.hours.wrong + self.rejects.wrong


def audit(
    sample: TopicSample,
    readings: pd.DataFrame,
    hours: pd.DataFrame,
    rejects: pd.DataFrame,
    days: Sequence[date],
    registry: MeterRegistry,
    admit: Admit,
) -> Audit:
    """Compare the tables with what the events say, validated by today's rules and settings.

    Args:
        sample: What was read of the topic.
        readings: Rows of `readings` of these days.
        hours: Rows of `usage_hourly` of these days.
        rejects: Rows of `rejects` of the time in which the broker received what was read, or more.
        days: The UTC dates.
        registry: The known meters.
        admit: Says which meters' events are accepted.
    """
    rejects = rejects[_is_within(rejects, sample.stretches)]
    is_revived = _is_revived(rejects, sample.events, registry, admit)
    known = _known_to_the_lake(sample, readings, rejects, rejects[is_revived])
    batch = validate_events(known, registry, admit)
    of_days = batch.readings["event_time"].dt.date.isin(set(days))
    said = cast("pd.DataFrame", batch.readings[of_days])
    # A row that names an offset beyond the topic's end has no event behind it: it is compared.
    is_read = _is_within(readings, sample.stretches)
    unread = readings[~is_read & _is_below(readings, sample.ends)]
    expected = _without(said, _older_than(said, unread), READING_KEYS)
    left_out = _without(unread, expected, READING_KEYS)
    starts = hour_starts(left_out["event_time"], left_out["meter"], registry)
    skipped = left_out.assign(start=starts)
    hours_said = _within_days(hourly_from_readings(expected, registry), days)[COMPARED_HOURLY]
    hours = _within_days(hours, days)
    return Audit(
        readings=compare_rows(expected, _without(readings, left_out, READING_KEYS), READING_KEYS),
        hours=compare_rows(
            _without(hours_said, skipped, HOUR_KEYS), _without(hours, skipped, HOUR_KEYS), HOUR_KEYS
        ),
        rejects=compare_rows(
            batch.rejects[REJECT_COLUMNS], rejects.loc[~is_revived, REJECT_COLUMNS], EVENT_PLACE
        ),
        events=len(sample.events),
        not_retained=int(_is_below(left_out, sample.retained).sum()),
        not_read=int((~_is_below(left_out, sample.retained)).sum()),
        to_redrive=int(is_revived.sum()),
    )


def _within_days(hours: pd.DataFrame, days: Sequence[date]) -> pd.DataFrame:
    """The hours that begin and end on these days: of others not all readings are there."""
    ends = hours["end"] - pd.Timedelta(1, "ns")
    is_within: pd.Series = hours["start"].dt.date.isin(set(days)) & ends.dt.date.isin(set(days))
    return hours.loc[is_within]


def _is_within(rows: pd.DataFrame, stretches: pd.DataFrame) -> pd.Series:
    found = pd.Series(False, index=rows.index)
    for one in stretches.to_dict("records"):
        is_in = rows["offset"].between(one["start"], one["end"], inclusive="left")
        found |= (rows["partition"] == one["partition"]) & is_in
    return found


def _is_below(rows: pd.DataFrame, offsets: Mapping[int, int]) -> pd.Series:
    return rows["offset"] < rows["partition"].map(offsets).fillna(0)


def _is_among(
    rows: pd.DataFrame, others: pd.DataFrame, keys: Sequence[str]
) -> npt.NDArray[np.bool_]:
    wanted = pd.MultiIndex.from_frame(others[list(keys)])
    return pd.MultiIndex.from_frame(rows[list(keys)]).isin(wanted)


def _without(rows: pd.DataFrame, others: pd.DataFrame, keys: Sequence[str]) -> pd.DataFrame:
    return rows[~_is_among(rows, others, keys)]


def _is_revived(
    rejects: pd.DataFrame, events: pd.DataFrame, registry: MeterRegistry, admit: Admit
) -> npt.NDArray[np.bool_]:
    """Which rejects are readings by today's rules."""
    bad_today = validate_events(events, registry, admit).rejects
    return _is_among(rejects, events, EVENT_PLACE) & ~_is_among(rejects, bad_today, EVENT_PLACE)


def _known_to_the_lake(
    sample: TopicSample, readings: pd.DataFrame, rejects: pd.DataFrame, revived: pd.DataFrame
) -> pd.DataFrame:
    """The events that the tables should hold: those ingested, less what waits to be redriven.

    An event beyond the checkpoint counts where a batch that was cut short has brought it in.
    """
    events = sample.events
    is_reading = _is_among(events, readings, _PLACE)
    is_known = _is_below(events, sample.ingested) | _is_among(events, rejects, EVENT_PLACE)
    waits = _is_among(events, revived, EVENT_PLACE)
    return events[is_reading | (is_known & ~waits)].reset_index(drop=True)


def _older_than(said: pd.DataFrame, unread: pd.DataFrame) -> pd.DataFrame:
    """Readings of the topic that an unread event of the same interval was to win over."""
    both = said.merge(unread, on=READING_KEYS, suffixes=("", "_there"))
    order = ["kafka_time", "offset", "partition"]
    is_older = pd.Series(False, index=both.index)
    for name in reversed(order):
        here, there = both[name], both[f"{name}_there"]
        is_older = (here < there) | ((here == there) & is_older)
    return both[is_older]
