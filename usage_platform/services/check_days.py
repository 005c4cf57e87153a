"""Checks of the tables' days: those that have changed, or all of them, some days at a time.

Belongs here: which days are checked, and how a check stands beside a writer that goes on. Memory
holds some days of some meters. Not here: what is right (`core.readings.quality`), how a check
reports it (`defs`).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd

from usage_platform.adapters.lake.day_stretches import Stretch, day_stretches
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.snapshots import (
    changed_days,
    newest_by_meter,
    settled,
)
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, LakeTable
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.meter_hours import are_utc, hour_starts
from usage_platform.core.readings.quality import (
    compare_hours,
    day_counts,
    days_that_lack,
    duplicate_readings,
)

METERS_AT_ONCE = 500
"""Meters whose readings are in memory."""
ROWS_AT_ONCE = 500_000
"""Readings of so many rows are in memory, or those of one day."""


@dataclass(frozen=True)
class DaysChecked:
    """What a check of some days found.

    Attributes:
        days: Days checked.
        compared: Rows compared.
        wrong: Rows that are not right.
        until: The newest change that was checked; None where there is no row.
    """

    days: int
    compared: int
    wrong: int
    until: pd.Timestamp | None


def find_duplicates(reader: LakeReader, since: pd.Timestamp | None) -> DaysChecked:
    """Count readings beyond the first of a meter and interval.

    Args:
        reader: The lake's tables.
        since: Days that have not changed since then are left out, UTC; None for all days.
    """
    changed = changed_days(reader, [READINGS], since)
    rows = duplicates = 0
    for first, last in day_stretches(reader, READINGS, changed.days, ROWS_AT_ONCE):
        for names in _meters(reader, [READINGS], first, last):
            found = reader.rows(READINGS, ["meter", "event_time"], first, last, names)
            rows += len(found)
            duplicates += duplicate_readings(found)
    return DaysChecked(len(changed.days), rows, duplicates, changed.until)


def find_incomplete_days(reader: LakeReader, registry: MeterRegistry) -> pd.DataFrame:
    """Local days that lack readings, of all meters.

    One count for each meter and day is in memory, and the hours of some days of some meters.

    Args:
        reader: The lake's tables.
        registry: Gives each meter's time zone and interval.

    Returns:
        As from `days_that_lack`.
    """
    days = sorted(reader.day_files(USAGE_HOURLY).files)
    counts = [day_counts(pd.DataFrame({"meter": [], "start": [], "n": []}), registry)]
    for first, last in day_stretches(reader, USAGE_HOURLY, days, ROWS_AT_ONCE):
        for names in _meters(reader, [USAGE_HOURLY], first, last):
            hours = reader.rows(USAGE_HOURLY, ["meter", "start", "n"], first, last, names)
            counts.append(day_counts(hours, registry))
    # A local day lies on two UTC days, and so may lie in two stretches.
    return days_that_lack(pd.concat(counts[1:] or counts, ignore_index=True), registry)


def find_wrong_hours(
    reader: LakeReader,
    registry: MeterRegistry,
    since: pd.Timestamp | None,
    pause: Callable[[], None],
    now: Callable[[], pd.Timestamp],
) -> DaysChecked:
    """Compare `usage_hourly` with a recomputation from `readings`, while both may be written.

    A batch may be between its two commits, or have been cut short and be repeated. So days with
    wrong hours are compared again a little later, and last in versions that belong together: wrong
    is what stays wrong.

    Args:
        reader: The lake's tables.
        registry: Gives each meter's interval.
        since: Days that have not changed since then are left out, UTC; None for all days.
        pause: Called before days are compared again; lets a batch end.
        now: Gives the time, UTC.
    """
    changed = changed_days(reader, [READINGS, USAGE_HOURLY], since)
    stretches = day_stretches(reader, READINGS, changed.days, ROWS_AT_ONCE)
    result = _compared(reader, registry, stretches)
    compared = sum(rows for rows, _ in result.values())
    for is_last in (False, True):
        suspect = [stretch for stretch, (_, wrong) in result.items() if wrong]
        if not suspect:
            break
        pause()
        again = settled(reader, READINGS, USAGE_HOURLY, now()) if is_last else reader
        result = _compared(again, registry, suspect)
    wrong = sum(wrong for _, wrong in result.values())
    return DaysChecked(len(changed.days), compared, wrong, changed.until)


def _compared(
    reader: LakeReader, registry: MeterRegistry, stretches: Sequence[Stretch]
) -> dict[Stretch, tuple[int, int]]:
    """The compared and the wrong hours of each stretch."""
    newest = _Newest(reader)
    found: dict[Stretch, tuple[int, int]] = {}
    # The newest first: it names the newest reading of nearly all meters.
    for first, last in sorted(stretches, reverse=True):
        compared = wrong = 0
        for names in _meters(reader, [READINGS, USAGE_HOURLY], first, last):
            readings = _readings_of_hours(reader, registry, first, last, names)
            hours = reader.rows(USAGE_HOURLY, None, first, last, names)
            one = compare_hours(hours, readings, registry, newest.of(names, first))
            compared, wrong = compared + one.compared, wrong + one.wrong
        found[first, last] = (compared, wrong)
    return found


def _readings_of_hours(
    reader: LakeReader, registry: MeterRegistry, first: date, last: date, names: Sequence[str]
) -> pd.DataFrame:
    """The readings of the hours that begin on some days: those of the next day among them."""
    columns = ["meter", "event_time", "value"]
    if are_utc(registry):
        return reader.rows(READINGS, columns, first, last, names)
    readings = reader.rows(READINGS, columns, first, last + timedelta(days=1), names)
    days = hour_starts(readings["event_time"], readings["meter"], registry).dt.date
    is_within: pd.Series = days.between(first, last)
    return readings.loc[is_within]


class _Newest:
    """Each meter's newest reading, looked for from the newest day backwards."""

    def __init__(self, reader: LakeReader) -> None:
        self._reader = reader
        self._left = sorted(reader.day_files(READINGS).files)
        self._known: dict[str, pd.Timestamp] = {}

    def of(self, names: Sequence[str], day: date) -> pd.Series:
        """Those of meters that have readings on this day or later."""
        while self._left and self._left[-1] >= day and not self._known.keys() >= set(names):
            of_day = newest_by_meter(self._reader, READINGS, "event_time", self._left.pop())
            self._known = of_day | self._known
        found = {name: self._known[name] for name in names if name in self._known}
        return pd.Series(found, dtype="datetime64[ns, UTC]")


def _meters(
    reader: LakeReader, tables: Sequence[LakeTable], first: date, last: date
) -> Iterator[Sequence[str]]:
    """The meters that some days have rows of, some at a time."""
    names = sorted({name for table in tables for name in reader.meters(table, first, last)})
    for at in range(0, len(names), METERS_AT_ONCE):
        yield names[at : at + METERS_AT_ONCE]
