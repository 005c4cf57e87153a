"""Parts of a whole running platform killed or stopped: its supervisor and sensors go on.

Belongs here: the cuts, the round, and the judge of a platform that does not stand still. Not here:
kills within a batch or a transaction (`rounds_of_spark`, `rounds_of_scorer`).
"""

import json
import os
import time
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP

import pandas as pd

from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, USAGE, KafkaSettings
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.anomalies.message_parsing import anomalies_from_messages
from usage_platform.core.readings.hourly import HOURLY_COLUMNS, hourly_from_readings
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.rescore import standing
from usage_platform_tests.e2e.conftest import platform_in, wait_for
from usage_platform_tests.e2e.running_platform import LONG_S, RunningPlatform, running
from usage_platform_tests.tools.faults.cuts import Cut, Outcome
from usage_platform_tests.tools.faults.findings import Findings, compare
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.tables import judged_rows
from usage_platform_tests.topics import read_events

PART = "platform"
_PLAYBACK = "playback run"
_SERVICES = {"Spark": "spark", "broker": "kafka", "code server": "code", "daemon": "daemon"}
_SETTINGS = {
    "interval_minutes": 60,
    # An hour a second lasts for four hours of rounds.
    "generated_days": 700,
    # It finds a fifth of all readings odd: there is always something to tell.
    "method": "blog",
    "history_days": 42,
    "accelerator": 3600,
}
_SETTLED = pd.Timedelta(hours=3)
# Longer than a transaction may take, and than the supervisor waits for an answer.
_STOP_SECONDS = 75.0
_STOPPED = Cut(PART, "playback run, code server and daemon stopped", SIGSTOP)
CUTS = (*(Cut(PART, f"{name} killed") for name in (_PLAYBACK, *_SERVICES)), _STOPPED)


def stack_rounds(services: Services) -> "StackRounds":
    """Rounds on a platform of their own."""
    folder = services.folder / "platform"
    folder.mkdir()
    platform = platform_in(folder, services.ask_port, **_SETTINGS)
    return StackRounds(services.enter(running(platform)))


class StackRounds:
    """Rounds on one running platform."""

    cuts = CUTS

    def __init__(self, stack: RunningPlatform) -> None:
        self._stack = stack

    def play(self, cut: Cut) -> Outcome:
        """Disturb it at the cut, wait until everything flows again, judge what is there."""
        # Else the sensors would put the next ones off for longer, as what fails again and again.
        wait_for("a playback that plays for a while", self._stack.has_played_for_a_while)
        wait_for("a micro-batch that succeeds", self._stack.has_ingested, LONG_S)
        self._stack.note_processes()
        began = time.monotonic()
        if cut == _STOPPED:
            self._stop_for_a_while()
        else:
            self._kill(cut.place.removesuffix(" killed"))
        wait_for("an answer of Kafka", self._stack.kafka_answers)
        self._stack.goes_on()
        seconds = time.monotonic() - began
        return Outcome(judged_platform(self._stack), seconds)

    def _kill(self, name: str) -> None:
        stack, run = self._stack, self._stack.playback()
        if name == _PLAYBACK:
            os.kill(stack.playback_pid(), SIGKILL)
            wait_for("another playback", lambda: stack.is_played_by_another(run))
        else:
            pid = self._pid(name)
            os.kill(pid, SIGKILL)
            wait_for(f"another {name}", lambda: stack.pid(_SERVICES[name]) not in {None, pid})

    def _stop_for_a_while(self) -> None:
        pids = [self._stack.playback_pid(), self._pid("code server"), self._pid("daemon")]
        for pid in pids:
            os.kill(pid, SIGSTOP)
        time.sleep(_STOP_SECONDS)
        for pid in pids:
            # The supervisor may have started others in their place.
            with suppress(ProcessLookupError):
                os.kill(pid, SIGCONT)

    def _pid(self, name: str) -> int:
        pid = self._stack.pid(_SERVICES[name])
        assert pid
        return pid


def judged_platform(stack: RunningPlatform) -> Findings:
    """Compare topic and tables with the source, as far as each has come by now."""
    deployment = stack.deployment
    reader, registry = deployment.reader, deployment.registry()
    source = deployment.source_cache.readings()
    # Before the readings: these may only be further by the time they are read.
    kept = standing(reader)
    told = anomalies_from_messages(_read(deployment.kafka, ANOMALY))
    episodes = [json.loads(value)["event_id"] for value in _read(deployment.kafka, EPISODE)]
    hours = reader.rows(USAGE_HOURLY, HOURLY_COLUMNS)
    columns = ["meter", "event_time", "value"]
    readings = reader.rows(READINGS, columns).sort_values("event_time", ignore_index=True)
    played = source.iloc[: len(readings)].rename(columns={"ts": "event_time"})
    settled = hours["start"].max() - _SETTLED
    expected = hourly_from_readings(readings, registry)
    events = _read(deployment.kafka, USAGE)
    odd = find_anomalies(readings, deployment.timeline(), registry).anomalies
    newest = readings["event_time"].max()
    return (
        compare("event", usage_messages(source.iloc[: len(events)]), events)
        + judged_rows("readings", played[columns], readings, 2)
        + judged_rows(
            "usage_hourly",
            expected[expected["start"] < settled],
            hours[hours["start"] < settled],
            2,
        )
        + compare("reject", [], reader.rows(REJECTS, ["raw"])["raw"])
        + compare("anomaly in the table", *_ids_as_far_as_both(odd, kept, newest))
        # Nothing comes late or is corrected: each is told of once and stays.
        + compare("anomaly on the topic", *_ids_as_far_as_both(odd, told, newest))
        + compare("episode event", set(episodes), episodes)
    )


def _read(kafka: KafkaSettings, topic: str) -> list[bytes]:
    return [message.value() or b"" for message in read_events(kafka, topic)]


def _ids_as_far_as_both(
    odd: pd.DataFrame, there: pd.DataFrame, newest: pd.Timestamp
) -> list[pd.Series]:
    """What is odd in the lake's readings, and what is there, as far as both have come."""
    until = min(there["event_time"].max(), newest)
    return [rows.loc[rows["event_time"] <= until, "anomaly_id"] for rows in (odd, there)]
