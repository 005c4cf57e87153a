"""A platform that runs: its processes, runs, ticks and what comes out, for tests to look at."""

import json
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
from dagster import DagsterEventType, DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from usage_platform.adapters.kafka.topics import ANOMALY, KafkaUnreachableError, end_offsets
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS
from usage_platform.local.pid import ProcessId, identify, read_pid_file, session_members
from usage_platform.wiring.platform import Platform as WiredPlatform
from usage_platform_tests.e2e.conftest import Platform, wait_for
from usage_platform_tests.repository import ROOT

_SERVICES = ("kafka", "spark", "code", "ui", "daemon", "page")
LONG_S = 600
_STOP_WITHIN_S = 60
# What the sensor of the playback takes for more than a start (`defs.sensors`).
_PLAYED_S = 30.0
_AT_WORK = RunsFilter(job_name="playback", statuses=[DagsterRunStatus.STARTED])
_INGESTS = RunsFilter(
    job_name="micro_batch",
    statuses=[DagsterRunStatus.STARTED, DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE],
)
_MATERIALIZED = DagsterEventType.ASSET_MATERIALIZATION


@dataclass
class RunningPlatform:
    """The platform, the process that keeps it running, and every process it was seen to have."""

    platform: Platform
    process: subprocess.Popen[bytes]
    log: Path
    seen: set[ProcessId] = field(default_factory=set)

    @cached_property
    def deployment(self) -> WiredPlatform:
        return self.platform.deployment()

    @cached_property
    def instance(self) -> DagsterInstance:
        """Dagster's instance, opened once: that takes twelve times what a question to it does."""
        return DagsterInstance.from_config(str(self.platform.data / "dagster_home"))

    def pid(self, service: str) -> int | None:
        named = read_pid_file(self.platform.data / "run" / f"{service}.pid")
        return named.pid if named and named.is_alive else None

    def note_processes(self) -> None:
        """Remember all that runs now, to ask for it again when the stack was stopped."""
        leaders = [pid for service in _SERVICES if (pid := self.pid(service))]
        pids = {pid for leader in leaders for pid in session_members(leader)}
        self.seen |= {found for pid in pids if (found := identify(pid))}

    def playback(self) -> DagsterRun | None:
        """The playback that is at work."""
        return next(iter(self.instance.get_runs(_AT_WORK, limit=1)), None)

    def is_played_by_another(self, former: DagsterRun | None) -> bool:
        now = self.playback()
        return now is not None and former is not None and now.run_id != former.run_id

    def has_played_for_a_while(self) -> bool:
        """Whether the playback's end would not count as a start that failed."""
        started = [run.start_time for run in self.instance.get_run_records(_AT_WORK, limit=1)]
        return any(since and time.time() - since >= _PLAYED_S for since in started)

    def has_ingested(self) -> bool:
        """Whether the last ingestion works or worked: if the next one fails, it is the first to."""
        last = self.instance.get_runs(_INGESTS, limit=1)
        return any(
            run.status == DagsterRunStatus.SUCCESS
            or self.instance.all_logs(run.run_id, of_type=_MATERIALIZED)
            for run in last
            if run.status != DagsterRunStatus.FAILURE
        )

    def playback_pid(self) -> int:
        """The process of the playback, as Dagster logs it."""
        run = self.playback()
        assert run is not None
        said = "\n".join(entry.message for entry in self.instance.all_logs(run.run_id))
        found = re.search(r"Started process for run \(pid: (\d+)\)", said)
        assert found, said
        return int(found[1])

    def received(self) -> pd.Timestamp:
        """When the broker got the newest reading that is in the lake."""
        return self.deployment.reader.rows(READINGS, ["kafka_time"])["kafka_time"].max()

    def anomalies(self) -> list[dict[str, object]]:
        """What `watch` prints of the topic `anomaly`."""
        told = self.platform.run("watch", "--from-beginning", "--no-follow", "--json")
        assert told.returncode == 0, told.stderr
        return [json.loads(line) for line in told.stdout.splitlines()]

    def anomalies_end(self) -> int:
        return sum(end for _, end in end_offsets(self.deployment.kafka, ANOMALY).values())

    def kafka_answers(self) -> bool:
        try:
            self.anomalies_end()
        except KafkaUnreachableError:
            return False
        return True

    def failed_ticks(self) -> dict[str, str]:
        """The errors of the ticks that failed, by sensor and tick."""
        return {
            f"{state.instigator_name} {tick.tick_id}": tick.error.message if tick.error else ""
            for state in self.instance.all_instigator_state()
            for tick in self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
            if tick.status.value == "FAILURE"
        }

    def goes_on(self) -> None:
        """Wait until what happens from now on comes all the way: readings, anomalies, playback."""
        now, told = pd.Timestamp.now(tz="UTC"), self.anomalies_end()
        wait_for("a playback", self.playback, LONG_S)
        wait_for("new readings in the lake", lambda: self.received() > now, LONG_S)
        wait_for("new anomalies on the topic", lambda: self.anomalies_end() > told, LONG_S)
        assert self.process.poll() is None, self.log.read_text()
        self.note_processes()


@contextmanager
def running(platform: Platform) -> Iterator[RunningPlatform]:
    """Run `up` until the end of the block; begins when everything flows, anomalies too."""
    log = platform.data / "up.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            platform.command("up"), cwd=ROOT, env=dict(platform.env), stdout=out, stderr=out
        )
    stack = RunningPlatform(platform, process, log)
    try:
        wait_for("up", lambda: process.poll() is not None or "Ctrl-C stops" in log.read_text())
        assert process.poll() is None, log.read_text()
        reader, models = stack.deployment.reader, stack.deployment.models
        wait_for("a model", models.manifests, LONG_S)
        wait_for("an anomaly in the lake", lambda: reader.state(ANOMALIES).rows, LONG_S)
        stack.goes_on()
        with stack.instance:
            yield stack
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(_STOP_WITHIN_S)
