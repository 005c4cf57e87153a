"""The platform while it runs: seen, asked, disturbed and killed part by part, then stopped.

One stack for the whole file; the tests go through it in order, each leaving it running.
"""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest
from confluent_kafka import Producer
from dagster import DagsterInstance, DagsterRun, DagsterRunStatus, RunsFilter

from usage_platform.adapters.kafka_topics import ANOMALY, USAGE, end_offsets
from usage_platform.adapters.lake_tables import ANOMALIES, READINGS, REJECTS, USAGE_HOURLY
from usage_platform.deployment import Deployment
from usage_platform.local.pid import ProcessId, identify, read_pid_file, session_members
from usage_platform_tests.e2e.conftest import REPOSITORY, Platform, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_METER = "central-library"
_SERVICES = ("kafka", "spark", "code", "ui", "daemon")
_SETTINGS = {
    "interval_minutes": 60,
    "generated_days": 120,
    # Enough history that there is a model and something to judge at once; then two hours a second.
    "history_days": 42,
    "accelerator": 7200,
}
_UNREACHABLE = "Unable to reach the user code server"
_LONG_S = 600
_STOP_WITHIN_S = 60


@dataclass
class RunningPlatform:
    """The platform, the process that keeps it running, and every process it was seen to have."""

    platform: Platform
    process: subprocess.Popen[bytes]
    log: Path
    seen: set[ProcessId] = field(default_factory=set)

    @cached_property
    def deployment(self) -> Deployment:
        return self.platform.deployment()

    def instance(self) -> DagsterInstance:
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
        filters = RunsFilter(job_name="playback", statuses=[DagsterRunStatus.STARTED])
        with self.instance() as instance:
            return next(iter(instance.get_runs(filters, limit=1)), None)

    def is_played_by_another(self, former: DagsterRun | None) -> bool:
        now = self.playback()
        return now is not None and former is not None and now.run_id != former.run_id

    def playback_pid(self) -> int:
        """The process of the playback, as Dagster logs it."""
        run = self.playback()
        assert run is not None
        with self.instance() as instance:
            said = "\n".join(entry.message for entry in instance.all_logs(run.run_id))
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

    def failed_ticks(self) -> dict[str, str]:
        """The errors of the ticks that failed, by sensor and tick."""
        with self.instance() as instance:
            return {
                f"{state.instigator_name} {tick.tick_id}": tick.error.message if tick.error else ""
                for state in instance.all_instigator_state()
                for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id)
                if tick.status.value == "FAILURE"
            }

    def goes_on(self) -> None:
        """Wait until what happens from now on comes all the way: readings, anomalies, playback."""
        now, told = pd.Timestamp.now(tz="UTC"), self.anomalies_end()
        wait_for("a playback", self.playback, _LONG_S)
        wait_for("new readings in the lake", lambda: self.received() > now, _LONG_S)
        wait_for("new anomalies on the topic", lambda: self.anomalies_end() > told, _LONG_S)
        assert self.process.poll() is None, self.log.read_text()
        self.note_processes()


@pytest.fixture(scope="module")
def stack(platform) -> Iterator[RunningPlatform]:
    made = platform(**_SETTINGS)
    log = made.data / "up.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            made.command("up"), cwd=REPOSITORY, env=dict(made.env), stdout=out, stderr=out
        )
    running = RunningPlatform(made, process, log)
    try:
        wait_for("up", lambda: process.poll() is not None or "Ctrl-C stops" in log.read_text())
        assert process.poll() is None, log.read_text()
        wait_for("a model", lambda: running.deployment.models.manifests(), _LONG_S)
        wait_for("an anomaly in the lake", lambda: _count(running, ANOMALIES), _LONG_S)
        running.goes_on()
        yield running
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(_STOP_WITHIN_S)


def _count(stack: RunningPlatform, table) -> int:
    return stack.deployment.reader.state(table).rows


def test_the_sensors_tick_and_none_of_their_ticks_fails(stack):
    with stack.instance() as instance:
        states = instance.all_instigator_state()
        ticked = {
            state.instigator_name
            for state in states
            if instance.get_ticks(state.instigator_origin_id, state.selector_id)
        }
    sensors = {"playback_sensor", "micro_batch_sensor", "first_model_sensor", "anomaly_stream"}
    assert sensors <= ticked
    assert stack.failed_ticks() == {}


def test_watch_prints_each_anomaly_as_a_line_of_json(stack):
    anomalies = stack.anomalies()
    assert len(anomalies) > 0
    assert all({"ts", "usage", "meter", "anomaly_id", "score"} <= set(one) for one in anomalies)


def test_status_says_what_runs_and_what_the_tables_hold(stack):
    done = stack.platform.run("status")
    assert done.returncode == 0, done.stderr
    for word in (*("Kafka", "Spark", "Dagster"), *(t.name for t in (READINGS, USAGE_HOURLY))):
        assert word in done.stdout


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_query_prints_rows_of_the_lake(stack, form):
    sql = "SELECT meter, count(*) AS hours FROM usage_hourly GROUP BY meter"
    done = stack.platform.run("query", sql, "--format", form)
    assert done.returncode == 0, done.stderr
    assert _METER in done.stdout
    if form == "json":
        assert json.loads(done.stdout)["hours"] > 42 * 24


@pytest.mark.parametrize(
    ("selection", "options"),
    [
        ("usage_hourly", ("--partition", "2024-01-20")),
        ("anomalies", ("--partition-range", "2024-01-30...2024-02-05")),
        ("readings,rejects", ()),
        ("source_readings", ()),
        ("usage", ("--config-json", '{"ops": {"usage": {"config": {"max_iterations": 1}}}}')),
        ("slot_forests", ()),
    ],
)
def test_each_asset_materializes_from_a_plain_shell_beside_the_live_stream(
    stack, selection, options
):
    module = ("-m", "usage_platform.definitions")
    done = stack.platform.dagster("asset", "materialize", *module, "--select", selection, *options)
    assert done.returncode == 0, done.stdout + done.stderr


def _malformed() -> list[bytes]:
    """A hundred events of ten kinds, each event another one."""
    kinds = [
        "{not json %d",
        '["a list", %d]',
        '{"value": %d}',
        '{"ts": "2024-03-05T13:05:00Z", "other": %d}',
        '{"ts": %d, "value": 1.0}',
        '{"ts": "2024-03-05T13:05:00Z", "value": "%d kW"}',
        '{"ts": "2024-03-05T13:05:00Z", "value": NaN, "n": %d}',
        '{"ts": "2024-03-05T13:05:00Z", "value": -1.5, "n": %d}',
        '{"ts": "the 5th of March", "value": 1.0, "n": %d}',
        '{"ts": "2199-03-05T13:05:00Z", "value": 1.0, "n": %d}',
    ]
    return [(kind % number).encode() for number in range(10) for kind in kinds]


def test_malformed_events_all_become_rejects_with_a_reason_and_the_stream_goes_on(stack):
    sent = _malformed()
    producer = Producer(stack.deployment.kafka.client(**{"enable.idempotence": True}))
    for value in sent:
        producer.produce(USAGE, value, _METER.encode())
    assert producer.flush(60) == 0

    stack.goes_on()

    rejects = stack.deployment.reader.rows(REJECTS, ["raw", "reason"])
    assert sorted(rejects["raw"]) == sorted(sent)
    assert (rejects["reason"] != "").all()
    assert rejects["reason"].nunique() >= 8


def test_a_killed_playback_is_started_again(stack):
    run = stack.playback()
    os.kill(stack.playback_pid(), signal.SIGKILL)
    wait_for("another playback", lambda: stack.is_played_by_another(run))
    stack.goes_on()
