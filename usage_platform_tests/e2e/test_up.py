"""The platform while it runs: seen, asked, disturbed and killed part by part, then stopped.

One stack for the whole file; the tests go through it in order, each leaving it running.
"""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
import requests
from confluent_kafka import Producer

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.checkpoints import Checkpoints
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.readings.hourly import HOURLY_COLUMNS, hourly_from_readings
from usage_platform.local.stack_file import read_live
from usage_platform.services.rescore import standing
from usage_platform_tests.e2e.conftest import wait_for
from usage_platform_tests.e2e.running_platform import RunningPlatform, running
from usage_platform_tests.tools.faults.rounds_of_stack import CUTS, StackRounds

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

_METER = "central-library"
_SETTINGS = {
    "interval_minutes": 60,
    # Lasts two hours: on a slow machine a shorter one has ended before the last test.
    "generated_days": 120,
    # The blog's method finds a fifth of all readings odd: there is always something to tell.
    "method": "blog",
    # Enough history that there is a model and something to judge at once; then an hour in four
    # seconds: faster, the platform writes batch after batch and leaves other tests no processor.
    "history_days": 42,
    "accelerator": 900,
}
_UNREACHABLE = "Unable to reach the user code server"
_STOP_WITHIN_S = 60


@pytest.fixture(scope="module")
def stack(platform) -> Iterator[RunningPlatform]:
    with running(platform(**_SETTINGS)) as stack:
        yield stack


def test_the_sensors_tick_and_none_of_their_ticks_fails(stack):
    ticked = {
        state.instigator_name
        for state in stack.instance.all_instigator_state()
        if stack.instance.get_ticks(state.instigator_origin_id, state.selector_id)
    }
    sensors = {"playback_sensor", "micro_batch_sensor", "model_sensor", "anomaly_stream", "alerts"}
    assert sensors <= ticked
    assert stack.failed_ticks() == {}


def test_a_run_is_a_fork_of_a_process_that_has_imported_the_platform(stack):
    # It keeps the command line of what it was forked from.
    command = Path(f"/proc/{stack.playback_pid()}/cmdline").read_text("utf-8")
    assert "multiprocessing.forkserver" in command
    assert "usage_platform.definitions" in command


def test_watch_prints_each_anomaly_as_a_line_of_json(stack):
    anomalies = stack.anomalies()
    assert len(anomalies) > 0
    assert all({"ts", "usage", "meter", "anomaly_id", "score"} <= set(one) for one in anomalies)


def test_status_says_what_runs_and_what_the_tables_hold(stack):
    done = stack.platform.run("status")
    assert done.returncode == 0, done.stderr
    rows = {words[0]: words[1:] for line in done.stdout.splitlines() if (words := line.split())}
    answers = [rows[service][1:] for service in ("Kafka", "Spark", "Dagster", "Page")]
    assert answers == [["yes"]] * 4, done.stdout
    # Those that cannot be empty by now: `running` has waited for an anomaly in the lake.
    for known in (READINGS, USAGE_HOURLY, ANOMALIES):
        assert int(rows[known.name][0].replace(",", "")) > 0, done.stdout


def test_the_page_shows_what_has_come(stack):
    where = read_live(stack.platform.data)
    assert where is not None
    now = requests.get(f"{where.page_url}/api/overview", timeout=60).json()["now"]
    newest = stack.deployment.reader.span(READINGS, "event_time")
    assert now["kw"] > 0
    # The playback goes on between the two looks.
    assert newest is not None
    assert abs(now["at"] - newest[1].timestamp()) < 7 * 86_400


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_query_prints_rows_of_the_lake(stack, form):
    sql = "SELECT meter, count(*) AS hours FROM usage_hourly GROUP BY meter"
    done = stack.platform.run("query", sql, "--format", form)
    assert done.returncode == 0, done.stderr
    assert _METER in done.stdout
    if form == "json":
        assert json.loads(done.stdout)["hours"] > 42 * 24


@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: f"{cut} ({cut.by})")
def test_a_part_killed_or_stopped_leaves_nothing_lost_doubled_or_wrong(stack, cut):
    """Before the tests that add events and models of their own, which the judge does not know."""
    assert StackRounds(stack).play(cut).findings.lines == []


_CONFIG = (
    "--config-json",
    json.dumps(
        {
            "ops": {
                # A model of the past again: one that ends where the stream plays now would judge
                # readings that another has judged by the time it is trained.
                "slot_forests": {"config": {"until": "2024-01-29"}},
            }
        }
    ),
)


_SELECTIONS = (
    ("usage_hourly", "--partition", "2024-01-20"),
    ("anomalies", "--partition-range", "2024-01-30...2024-02-05"),
    ("source_readings,readings,rejects,slot_forests,anomaly", *_CONFIG),
)


def test_each_asset_but_the_playback_materializes_from_plain_shells_beside_the_live_stream(stack):
    command = ("asset", "materialize", "-m", "usage_platform.definitions", "--select")
    with ThreadPoolExecutor() as shells:
        ended = shells.map(lambda chosen: stack.platform.dagster(*command, *chosen), _SELECTIONS)
    assert [done.stdout + done.stderr for done in ended if done.returncode] == []


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


@contextmanager
def _watching(stack: RunningPlatform, to: Path) -> Iterator[Callable[[], list[dict]]]:
    """Run `watch` beside; gives what it has printed by now."""
    with to.open("wb") as out:
        watch = subprocess.Popen(
            stack.platform.command("watch", "--json"), env=dict(stack.platform.env), stdout=out
        )

    def seen() -> list[dict]:
        whole_lines = to.read_text("utf-8").rpartition("\n")[0]
        return [json.loads(line) for line in whole_lines.splitlines()]

    try:
        yield seen
    finally:
        watch.send_signal(signal.SIGINT)
        watch.wait(_STOP_WITHIN_S)


def test_who_watches_misses_nothing_while_all_is_killed_at_once(stack, tmp_path):
    with _watching(stack, tmp_path / "watched") as seen:
        wait_for("a first anomaly", seen)
        _kill_all_and_wait(stack)
        told = stack.anomalies()
        wait_for("the last anomaly", lambda: told[-1] in seen())
        watched = seen()
    assert len({anomaly["anomaly_id"] for anomaly in told}) == len(told)
    first = told.index(watched[0])
    assert watched[: len(told) - first] == told[first:]


def _kill_all_and_wait(stack: RunningPlatform) -> None:
    """It is all started again, and goes on."""
    # An earlier test may have ended a playback that its sensor has not started again yet.
    wait_for("a playback", lambda: stack.playback() is not None)
    stack.note_processes()
    run = stack.playback()
    pids = {name: stack.pid(name) for name in ("kafka", "spark", "daemon", "code")}
    for pid in (stack.playback_pid(), *pids.values()):
        assert pid
        os.kill(pid, signal.SIGKILL)
    for name, pid in pids.items():
        wait_for(f"another {name}", lambda n=name, p=pid: stack.pid(n) not in {None, p})
    wait_for("an answer of Kafka", stack.kafka_answers)
    wait_for("another playback", lambda: stack.is_played_by_another(run))
    stack.goes_on()


def test_no_tick_failed_but_those_that_met_a_dead_code_server(stack):
    others = {k: error for k, error in stack.failed_ticks().items() if _UNREACHABLE not in error}
    assert others == {}


def test_ctrl_c_stops_everything_and_leaves_no_process(stack):
    stack.note_processes()
    stack.process.send_signal(signal.SIGINT)
    assert stack.process.wait(_STOP_WITHIN_S) == 0, stack.log.read_text()
    assert [process for process in stack.seen if process.is_alive] == []
    assert _processes_naming(stack.platform.data) == []


def _processes_naming(folder: Path) -> list[str]:
    """The command lines that name a path in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # It has ended meanwhile.
            continue
        if str(folder) in command:
            found.append(command)
    return found


def test_after_all_of_that_the_tables_are_what_an_undisturbed_run_makes(stack):
    """As far as the playback has come: no event is lost, doubled or put off."""
    deployment = stack.deployment
    source = deployment.source_cache.readings()
    reader, registry = deployment.reader, deployment.registry()
    readings, rejects = reader.rows(READINGS), reader.rows(REJECTS)
    keys = ["event_time", "meter"]
    pd.testing.assert_frame_equal(
        readings.sort_values(keys, ignore_index=True)[["meter", "event_time", "value"]],
        source.iloc[: len(readings)].rename(columns={"ts": "event_time"}),
        check_exact=True,
        check_dtype=False,
    )
    assert len(readings) > 42 * 24
    assert (readings["rev"] == 0).all()
    assert len(rejects) == len(_malformed())
    offsets = sorted([*readings["offset"], *rejects["offset"]])
    assert offsets == list(range(len(offsets)))

    hours = reader.rows(USAGE_HOURLY).sort_values(["meter", "start"], ignore_index=True)
    expected = hourly_from_readings(readings, registry)
    if len(hours) < len(expected):
        # Ctrl-C met a batch between its readings and its hours: the next start does it again.
        checkpoints = Checkpoints(deployment.lake, USAGE)
        done = readings["offset"] < checkpoints.committed(checkpoints.current())[0]
        assert not done.all()
        expected = hourly_from_readings(readings[done], registry)
    pd.testing.assert_frame_equal(
        hours[HOURLY_COLUMNS], expected, check_exact=True, check_dtype=False
    )

    told = standing(reader)
    newest = min(told["event_time"].max(), readings["event_time"].max())
    found = find_anomalies(readings, deployment.timeline(), registry).anomalies
    ids = [sorted(rows.loc[rows["event_time"] <= newest, "anomaly_id"]) for rows in (told, found)]
    assert ids[0] == ids[1]
    assert len(ids[0]) > 0
