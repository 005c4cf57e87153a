"""The table `usage_findings`: computed each night for all meters, some at a time.

Belongs here: which meters are looked at, and the rows of each. Not here: one meter's findings
(`meter_findings`), merging rows (`adapters.lake.findings_table`), when it runs (`defs`).

A finding that is found again keeps its row. One that is no longer found keeps it too, with the last
night in which it was.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.findings_table import (
    FINDING_COLUMNS,
    known_findings,
    merge_findings,
)
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, USAGE_FINDINGS
from usage_platform.adapters.stores.findings_record import FindingsRecord, FindingsRun
from usage_platform.core.findings.finding import Finding
from usage_platform.core.fleet.meter_row import present
from usage_platform.core.time.quarters import first_of_quarter
from usage_platform.core.time.units import NS_AN_HOUR
from usage_platform.services.meter_findings import FindingInputs, MeterFindings

METERS_AT_ONCE = 20
"""Whose readings of eighteen months are in memory at once: 50 MB at five minutes. One at a time
would read the files of all these days once for each meter."""

_MERGED_AT_ONCE = 2000
_QUARTER_DAYS = 92
_INSTANT = "datetime64[ns, UTC]"

TakeTurn = Callable[[], AbstractContextManager[object]]
"""Gives the right to write to the lake within a block."""


@dataclass(frozen=True)
class FindingsSummary:
    """What a night has brought.

    Attributes:
        run: As it was recorded.
        new: How many findings there were not before.
        gone: How many were no longer found.
    """

    run: FindingsRun
    new: int
    gone: int


def present_of(reader: LakeReader, now: int) -> int | None:
    """The present in the time of the readings, ns since 1970 UTC; None without a reading.

    Of a played past it is the end of the hour of its newest reading, so that a day counts whose
    readings are all there.

    Raises:
        LakeError: When the lake cannot be read.
    """
    span = reader.span(READINGS, "event_time")
    if span is None:
        return None
    return present(now, (span[1].value // NS_AN_HOUR + 1) * NS_AN_HOUR)


def compute_findings(
    inputs: FindingInputs,
    record: FindingsRecord,
    as_of: int,
    turn: TakeTurn,
    progress: Callable[[str], None],
) -> FindingsSummary:
    """Compute the findings of all meters, and write those that have changed.

    A meter that fails keeps the rows that it has, and is named in the record.

    Args:
        inputs: What findings are made from.
        record: Where it is noted that they were computed.
        as_of: The moment, ns since 1970 UTC; the whole local days before it count.
        turn: One for each merge, not while findings are computed.
        progress: Called with a line after some meters.

    Raises:
        LakeError: When there are no readings yet, or the lake cannot be read or written.
        LeaseError: When another platform writes to the lake.
    """
    reader = inputs.reader
    # Listed before the rows are read: what comes meanwhile makes the record differ.
    digest = inputs.digest(as_of, reader.day_files(READINGS))
    finder = MeterFindings(inputs, as_of)
    before = known_findings(reader, _first_that_may_recur(as_of))
    # Findings of a meter that has sent nothing for so long are no longer found.
    names = sorted({*finder.meters(), *before.loc[before["is_current"].eq(True), "meter"]})
    failed: dict[str, str] = {}
    waiting: list[pd.DataFrame] = []
    new = gone = 0
    for at in range(0, len(names), METERS_AT_ONCE):
        some = names[at : at + METERS_AT_ONCE]
        rows = _rows_of(finder, some, before[before["meter"].isin(some)], failed, progress)
        new += int((~rows["id"].isin(before["id"])).sum())
        gone += int((~rows["is_current"]).sum())
        waiting.append(rows)
        if sum(map(len, waiting)) >= _MERGED_AT_ONCE:
            _write(reader, waiting, turn)
            waiting = []
        progress(f"{at + len(some):,} of {len(names):,} meters")
    _write(reader, waiting, turn)
    moment = pd.Timestamp(as_of, tz="UTC").to_pydatetime(warn=False)
    run = FindingsRun(as_of=moment, digest=digest, meters=len(names), failed=failed)
    record.write(run)
    return FindingsSummary(run, new, gone)


def wrong_findings(inputs: FindingInputs, run: FindingsRun, names: Sequence[str]) -> int:
    """Compare the current findings of meters in the table with a recomputation.

    Args:
        inputs: What they are made from; their digest is that of the run.
        run: The last computation.
        names: Meters that have not failed in it.

    Returns:
        How many findings are missing, differ, or are no longer found.

    Raises:
        LakeError: When the lake cannot be read.
    """
    finder = MeterFindings(inputs, pd.Timestamp(run.as_of).value)
    failed: dict[str, str] = {}
    before = known_findings(inputs.reader, meters=names)
    made = _rows_of(finder, names, before, failed, lambda _: None)
    if failed:
        raise LakeError("; ".join(f"{name}: {reason}" for name, reason in failed.items()))
    expected, found = _by_id(made[made["is_current"]]), _by_id(before)
    return sum(expected.get(one) != found.get(one) for one in expected.keys() | found.keys())


def _rows_of(
    finder: MeterFindings,
    names: Sequence[str],
    before: pd.DataFrame,
    failed: dict[str, str],
    progress: Callable[[str], None],
) -> pd.DataFrame:
    """The new rows of some meters; why a meter has none is added to `failed`."""
    history = finder.read(names)
    rows: list[dict[str, Any]] = []
    for name in names:
        try:
            found = finder.of(name, history)
        except (LakeError, MemoryError):
            raise
        except Exception as error:
            # Whatever it is: the other meters get their findings, and this one is named.
            failed[name] = f"{type(error).__name__}: {error}"
            progress(f"{name}: no findings: {failed[name]}")
            continue
        rows += _rows(found, _known(before, name), finder.today(name), finder.currency(name))
    return pd.DataFrame(rows, columns=FINDING_COLUMNS).astype(
        {"start": _INSTANT, "end": _INSTANT, "is_current": bool}
    )


def _known(before: pd.DataFrame, name: str) -> list[dict[str, Any]]:
    rows = before[before["meter"] == name]
    return [
        {str(column): value for column, value in row.items()} for row in rows.to_dict("records")
    ]


def _rows(
    found: Sequence[Finding],
    known: Sequence[dict[str, Any]],
    today: date,
    currency: str | None,
) -> Iterator[dict[str, Any]]:
    """The rows of what was found, and of what was found before and is not now."""
    rows = {row["id"]: row for row in known}
    first = {"first_seen": today, "quarter": first_of_quarter(today)}
    for one in found:
        old = rows.pop(one.id, first)
        yield {
            **vars(one),
            "kind": one.kind.value,
            "currency": currency,
            "last_seen": today,
            "is_current": True,
            **{name: old[name] for name in first},
        }
    for row in rows.values():
        if row["is_current"]:
            yield {**row, "is_current": False}


def _write(reader: LakeReader, frames: Sequence[pd.DataFrame], turn: TakeTurn) -> None:
    rows = [frame for frame in frames if len(frame)]
    with turn():
        create_tables(reader.lake, (USAGE_FINDINGS,))
        if rows:
            merge_findings(reader.lake, pd.concat(rows, ignore_index=True))


def _first_that_may_recur(as_of: int) -> date:
    """The first day of the quarter whose findings have the same id when they are found again."""
    # Those of the quarter before too: a flatline keeps its id when it goes on into the next one.
    return first_of_quarter(
        (pd.Timestamp(as_of, tz="UTC") - pd.Timedelta(days=_QUARTER_DAYS)).date()
    )


def _by_id(rows: pd.DataFrame) -> dict[str, tuple[object, ...]]:
    """The rows as tuples in which nothing is None, as NaN equals nothing."""
    plain = rows.astype(object).where(rows.notna(), None)
    return {row[0]: row for row in plain.itertuples(index=False, name=None)}
