"""Measuring a running platform: files, memory, durations, lag.

Belongs here: one look each. Not here: what the figures mean (`series`, `judgement`).
"""

import statistics
from collections.abc import Iterable
from pathlib import Path

from dagster import (
    AssetKey,
    AssetRecordsFilter,
    DagsterInstance,
    DagsterRunStatus,
    FloatMetadataValue,
    RunsFilter,
)

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE
from usage_platform.adapters.lake.tables import READINGS, TABLES
from usage_platform.local.pid import read_pid_file, session_members
from usage_platform.services.progress import ingestion_lag, scoring_lag
from usage_platform.wiring.platform import Platform
from usage_platform_tests.tools.soak.series import GROUPS, MIB, Sample, empty_values

_BLOCK_BYTES = 512
"""Of `st_blocks`, whatever the file system's own blocks are: stat(2)."""


def on_disk(folder: Path) -> tuple[int, float]:
    """Files in a folder and below, and the MiB that they really take (Kafka's have holes)."""
    files, blocks = 0, 0
    for path in folder.rglob("*"):
        try:
            found = path.stat()
        except FileNotFoundError:  # The platform goes on while it is looked at.
            continue
        if path.is_file():
            files += 1
            blocks += found.st_blocks
    return files, blocks * _BLOCK_BYTES / MIB


def memory(data: Path) -> dict[str, float]:
    """Resident MiB of each service with all processes that it started.

    Summed from the processes' own shares (`Pss`), as forked processes have most pages in common.
    """
    found = {}
    for group in GROUPS:
        leader = read_pid_file(data / "run" / f"{group}.pid")
        if leader is not None and leader.is_alive:
            found[group] = sum(_own_mib(pid) for pid in session_members(leader.pid))
    return found


def _own_mib(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) * 1024 / MIB


def batch_seconds(instance: DagsterInstance, since: float) -> list[float]:
    """Seconds that a batch took, as the ingestion has reported since an instant (Unix time)."""
    reported = AssetRecordsFilter(AssetKey(READINGS.name), after_timestamp=since)
    records = instance.fetch_materializations(reported, limit=1000).records
    made = [one.asset_materialization for one in records]
    found = [one.metadata["seconds_per_batch"] for one in made if one is not None]
    return [one.value for one in found if isinstance(one, FloatMetadataValue) and one.value]


def failed_runs(instance: DagsterInstance) -> int:
    """How many runs failed by now."""
    return instance.get_runs_count(RunsFilter(statuses=[DagsterRunStatus.FAILURE]))


def tick_seconds(instance: DagsterInstance, sensor: str, since: float) -> list[float]:
    """Seconds that the ticks of a sensor took which ended after an instant (Unix time)."""
    return [
        tick.end_timestamp - tick.timestamp
        for state in instance.all_instigator_state()
        if state.instigator_name == sensor
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=100)
        if tick.end_timestamp and tick.end_timestamp > since
    ]


def look(
    deployment: Platform, instance: DagsterInstance, minute: float, since: float, rss: Iterable
) -> Sample:
    """One sample of all series.

    Args:
        deployment: The platform's services and places.
        instance: Its Dagster instance.
        minute: Since the soak began.
        since: Runs and ticks that ended later (Unix time) are this sample's.
        rss: What `memory` gave since then, some times.
    """
    data, values = deployment.settings.data_dir, empty_values()
    for table in TABLES:
        folder = Path(deployment.lake.table(table))
        count, size = on_disk(folder)
        log = on_disk(folder / "_delta_log")[0]
        values |= {
            f"{table.name}: live files": deployment.reader.state(table).files,
            f"{table.name}: files on disk": count - log,
            f"{table.name}: on disk": size,
            f"{table.name}: files in _delta_log": log,
        }
    values["checkpoints"] = on_disk(Path(deployment.lake.checkpoint(".")))[0]
    values["kafka folder"] = on_disk(data / "kafka")[1]
    values["service logs"] = on_disk(data / "logs")[1]
    values["dagster files"], values["dagster storage"] = on_disk(data / "dagster")
    for group in GROUPS:
        seen = [look[group] for look in rss if group in look]
        if seen:
            values[f"memory of {group}"] = statistics.median(seen)
    for name, seconds in (
        ("micro_batch", batch_seconds(instance, since)),
        ("anomaly_stream", tick_seconds(instance, "anomaly_stream", since)),
    ):
        if seconds:
            values[f"{name}, median"] = statistics.median(seconds)
            values[f"{name}, longest"] = max(seconds)
    values["events not in the lake"] = sum(
        ingestion_lag(deployment.lake, deployment.kafka, topic) for topic in (USAGE, ANOMALY)
    )
    values["events not scored"] = scoring_lag(deployment.kafka)
    return Sample(minute, deployment.reader.state(READINGS).rows, values)
