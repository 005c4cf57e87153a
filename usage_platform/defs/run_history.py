"""Removal of old runs from Dagster, so that its database and logs do not grow for ever.

Belongs here: which runs may be removed, their totals, and their removal by Dagster's public
instance methods. Not here: when that happens, or where the totals are stored (`upkeep`).

A run is removed with its events and logs when it ended long enough ago. One that holds the latest
materialization of an asset or partition is kept: Dagster stores materializations as events of their
runs, and would show the partition as missing. Totals are added for a whole day and job at once,
before its first run is removed, and never changed: after a kill the next upkeep continues. Results
of asset checks are kept: Dagster stores them in a table that the removal of a run does not touch.
"""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from pathlib import Path

import dagster as dg
import pandas as pd

_ENDED = frozenset(
    {dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED}
)
_MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION
_PAGE = 500
# The metadata in which the assets that move events report how many.
_EVENT_COUNTS = {"readings": "events", "usage": "readings_played"}
_NO_RUN = ""
"""The run id under which Dagster stores events that sensor ticks and people report."""


@dataclass(frozen=True)
class Forgotten:
    """The result of a removal.

    Attributes:
        runs: Runs that were removed.
        kept: Old runs that are kept, as they hold the latest materialization of something.
        files: Files and folders of runs that were removed.
        is_done: Whether all that was due was removed; the rest is left to the next upkeep.
    """

    runs: int
    kept: int
    files: int
    is_done: bool


@dataclass(frozen=True)
class _Run:
    """The fields that totals need; a record of Dagster's is a hundred times as large."""

    run_id: str
    day: date
    job: str
    has_failed: bool
    seconds: float
    ended: float | None


def forget_runs(
    instance: dg.DagsterInstance,
    before: datetime,
    add_totals: Callable[[pd.DataFrame], None],
    time_is_up: Callable[[], bool],
) -> Forgotten:
    """Remove the runs that ended before an instant, oldest first.

    Args:
        instance: Dagster's instance.
        before: A midnight, UTC.
        add_totals: Stores totals of days and jobs (`day`, `job`, `runs`, `failed`, `seconds`,
            `events`); those that are stored already it leaves unchanged.
        time_is_up: Asked before each removal.
    """
    needed = {record.run_id for record in _latest(instance)}
    runs = [run for group in _ended_groups(instance, before) for run in group]
    kept = sum(run.run_id in needed for run in runs)
    removed = 0
    for piece in _pieces(runs, needed):
        if not time_is_up():
            add_totals(_totals(instance, piece))
        for run in piece:
            if run.run_id in needed:
                continue
            if time_is_up():
                return Forgotten(removed, kept, _sweep(instance), is_done=False)
            instance.delete_run(run.run_id)
            removed += 1
    return Forgotten(removed, kept, _sweep(instance), is_done=True)


def _ended_groups(instance: dg.DagsterInstance, before: datetime) -> list[list[_Run]]:
    """Runs by creation day (UTC) and job, of groups that have ended as a whole."""
    groups: dict[tuple[date, str], list[_Run]] = defaultdict(list)
    cursor = None
    while records := instance.get_run_records(
        dg.RunsFilter(created_before=before), limit=_PAGE, cursor=cursor, ascending=True
    ):
        for run in map(_of_record, records):
            groups[run.day, run.job].append(run)
        cursor = records[-1].dagster_run.run_id
    limit = before.timestamp()
    return [
        runs
        for _, runs in sorted(groups.items())
        if all(run.ended is not None and run.ended < limit for run in runs)
    ]


def _of_record(record: dg.RunRecord) -> _Run:
    run = record.dagster_run
    ended = record.end_time if run.status in _ENDED else None
    began = record.start_time or ended or 0.0
    return _Run(
        run_id=run.run_id,
        day=record.create_timestamp.date(),
        job=run.job_name,
        has_failed=run.status != dg.DagsterRunStatus.SUCCESS,
        seconds=(ended or began) - began,
        ended=ended,
    )


def _pieces(runs: Sequence[_Run], needed: set[str]) -> Iterator[list[_Run]]:
    """Several days and jobs at once, each whole, as their totals are one commit."""
    piece: list[_Run] = []
    for _, of_job in groupby(runs, key=lambda run: (run.day, run.job)):
        group = list(of_job)
        # Kept runs were summed when the others of their day were removed.
        if all(run.run_id in needed for run in group):
            continue
        piece += group
        if len(piece) >= _PAGE:
            yield piece
            piece = []
    if piece:
        yield piece


def _totals(instance: dg.DagsterInstance, runs: Sequence[_Run]) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "day": run.day,
            "job": run.job,
            "runs": 1,
            "failed": int(run.has_failed),
            "seconds": run.seconds,
            "events": _events(instance, run.run_id),
        }
        for run in runs
    )
    return rows.groupby(["day", "job"], as_index=False).sum()


def _events(instance: dg.DagsterInstance, run_id: str) -> int:
    # Of each asset the last one counts: a playback reports its running total each minute.
    counts: dict[dg.AssetKey, int] = {}
    for entry in instance.all_logs(run_id, of_type=_MATERIALIZED):
        made = entry.asset_materialization
        if made is not None and made.partition is None:
            count = made.metadata.get(_EVENT_COUNTS.get(made.asset_key.to_user_string(), ""))
            counts[made.asset_key] = (
                (count.value or 0) if isinstance(count, dg.IntMetadataValue) else 0
            )
    return sum(counts.values())


def _latest(instance: dg.DagsterInstance) -> Iterator[dg.EventLogRecord]:
    """The latest materialization of each asset and of each partition."""
    for key in instance.get_asset_keys():
        yield from instance.fetch_materializations(key, limit=1).records
        by_partition = instance.get_latest_storage_id_by_partition(key, _MATERIALIZED)
        ids = sorted(set(by_partition.values()))
        for first in range(0, len(ids), _PAGE):
            chosen = dg.AssetRecordsFilter(asset_key=key, storage_ids=ids[first : first + _PAGE])
            yield from instance.fetch_materializations(chosen, limit=_PAGE).records


def forget_ticks(instance: dg.DagsterInstance, asset: dg.AssetKey, before: datetime) -> int:
    """Remove the events that sensor ticks reported, once an asset's oldest is before an instant.

    Dagster stores these events under no run and removes all or none of them. The latest ones, of
    each asset and partition, are reported again.

    Args:
        instance: Dagster's instance.
        asset: The asset that the ticks report.
        before: The instant.

    Returns:
        How many events were reported again; 0 where nothing was removed.
    """
    oldest = instance.fetch_materializations(asset, limit=1, ascending=True).records
    if not oldest or oldest[0].run_id != _NO_RUN or oldest[0].timestamp >= before.timestamp():
        return 0
    latest = {r.storage_id: r.asset_materialization for r in _latest(instance) if not r.run_id}
    instance.delete_run(_NO_RUN)
    for _, materialization in sorted(latest.items()):
        if materialization is not None:
            instance.report_runless_asset_event(materialization)
    return len(latest)


def _sweep(instance: dg.DagsterInstance) -> int:
    """Remove what Dagster leaves on the disk of a deleted run: its empty event file, its logs."""
    base = Path(instance.storage_directory()).parent
    # Listed before the runs are read: a run is in the database before it has a file.
    events = [path for path in _those_in(base / "history" / "runs") if _is_of_a_run(path)]
    logs = [path for path in _those_in(base / "logs") if _is_of_a_run(path)]
    known = set(instance.get_run_ids())
    gone = [path for path in (*events, *logs) if path.name.split(".")[0] not in known]
    for path in gone:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    return len(gone)


def _those_in(folder: Path) -> Sequence[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _is_of_a_run(path: Path) -> bool:
    """Run ids are UUIDs in text."""
    return len(path.name.split(".")[0]) == 36 and path.name.count("-") >= 4
