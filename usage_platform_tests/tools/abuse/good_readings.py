"""Whether good readings still come through after hostile messages: to tables, page and anomalies.

Belongs here: sending both, and looking. Not here: the messages (`hostile_messages`).
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterable
from functools import partial

import pandas as pd
import requests
from confluent_kafka import KafkaError, KafkaException, Producer

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS, USAGE_HOURLY, LakeTable
from usage_platform.local.pid import read_pid_file
from usage_platform_tests.e2e.conftest import Platform
from usage_platform_tests.tools.abuse.attack import Attack, Attempt, By, Tried, worked
from usage_platform_tests.tools.abuse.hostile_messages import KINDS, Kind, Value

RESTART = Attack("all of these, and a restart", By.WRITER)
_RESTARTED = ("code", "spark")
_HOURS = 12
_TIMES_AS_MUCH = 20
# After a restart on a busy machine; else it takes half a minute.
_WITHIN_S = 480.0
_LOOK_EVERY_S = 1.0
_WEEK = pd.Timedelta(days=7)
_HOUR = pd.Timedelta(hours=1)
# The broker, or the client, does not take it; or it takes so long that nobody waits.
_REFUSED = (
    *(KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError._MSG_TIMED_OUT),
    *(KafkaError.UNKNOWN, KafkaError._PURGE_QUEUE),
)
_SEND_WITHIN_S = 60


class GoodReadings:
    """Hours of the default meter that follow its source, each time half a day.

    Args:
        platform: Runs; its source has been played to the end.
        page: Address of the page.
    """

    def __init__(self, platform: Platform, page: str) -> None:
        self._platform = platform
        self._deployment = platform.deployment()
        self._page = page
        self._meter = self._deployment.settings.meter
        source = self._deployment.source_cache.readings()
        self._source = source.set_index("ts")["value"]
        self._next = source["ts"].max() + _HOUR

    def attempts(self) -> list[Attempt]:
        """Each kind of hostile messages, and a restart after all of them."""
        kinds = [
            Attempt(Attack(kind.name, By.WRITER), "all topics", partial(self._after, kind))
            for kind in KINDS
        ]
        return [*kinds, Attempt(RESTART, "Spark and the scorer", self._after_restart)]

    def come_through(self) -> str:
        """Send half a day of readings, the last 20 times as high; what of it is missing at last.

        Returns:
            Where the last reading has not come to in time; empty when it has come to all.
        """
        times = pd.date_range(self._next, periods=_HOURS, freq=_HOUR)
        self._next = times[-1] + _HOUR
        values = [float(self._source[self._a_known_hour(at)]) for at in times]
        values[-1] = max(values) * _TIMES_AS_MUCH
        self._send(
            USAGE,
            [
                json.dumps({"meter": self._meter, "ts": at.isoformat(), "value": value}).encode()
                for at, value in zip(times, values, strict=True)
            ],
        )
        places: dict[str, Callable[[], bool]] = {
            "readings": lambda: self._is_in(READINGS, "event_time", times[-1]),
            "usage_hourly": lambda: self._is_in(USAGE_HOURLY, "start", times[-1]),
            "anomalies": lambda: self._is_in(ANOMALIES, "event_time", times[-1]),
            "the page": lambda: self._is_on_page(times[-1]),
        }
        return self._missing(places)

    def _missing(self, places: dict[str, Callable[[], bool]]) -> str:
        ends = time.monotonic() + _WITHIN_S
        while places and time.monotonic() < ends:
            places = {name: is_there for name, is_there in places.items() if not is_there()}
            time.sleep(_LOOK_EVERY_S if places else 0)
        return ", ".join(places)

    def _a_known_hour(self, at: pd.Timestamp) -> pd.Timestamp:
        """The same hour of the week in the source."""
        while at not in self._source.index:
            at -= _WEEK
        return at

    def _is_in(self, table: LakeTable, column: str, at: pd.Timestamp) -> bool:
        reader = self._deployment.reader
        if not reader.exists(table):
            return False
        rows = reader.rows(table, ["meter", column], at.date(), at.date())
        return bool(((rows["meter"] == self._meter) & (rows[column] == at)).any())

    def _is_on_page(self, at: pd.Timestamp) -> bool:
        answer = requests.get(f"{self._page}/api/overview", {"meter": self._meter}, timeout=60)
        now = answer.json()["now"] if answer.ok else None
        return now is not None and now["at"] == at.timestamp() and bool(now["is_anomaly"])

    def _after(self, kind: Kind) -> Tried:
        refused = sum(self._send(topic, kind.of_topic(topic), kind.codec) for topic in kind.topics)
        return self._judged(f"{refused} refused by the broker")

    def _after_restart(self) -> Tried:
        for service in _RESTARTED:
            leader = read_pid_file(self._platform.data / "run" / f"{service}.pid")
            assert leader is not None
            os.kill(leader.pid, signal.SIGKILL)
        return self._judged(f"{' and '.join(_RESTARTED)} killed")

    def _judged(self, done: str) -> Tried:
        began = time.monotonic()
        missing = self.come_through()
        if missing:
            return worked(True, f"{done}; a good reading is not in {missing}")
        return worked(False, f"{done}; a good reading came in {time.monotonic() - began:.0f} s")

    def _send(
        self,
        topic: str,
        values: Iterable[Value],
        codec: str = "none",
        batch_bytes: int = 1_000_000,
    ) -> int:
        """Send messages; returns how many the broker, or the client, refused."""
        errors: list[KafkaError] = []
        producer = Producer(
            self._deployment.kafka.client(
                **{
                    "compression.type": codec,
                    "batch.size": batch_bytes,
                    "message.max.bytes": 10**9,
                    "message.timeout.ms": _SEND_WITHIN_S * 1000,
                    "linger.ms": 50,
                }
            )
        )
        for value in values:
            try:
                producer.produce(
                    topic,
                    value,
                    on_delivery=lambda error, _: errors.append(error) if error else None,
                )
            except KafkaException as refused:
                errors.append(refused.args[0])
            producer.poll(0)
        assert producer.flush(2 * _SEND_WITHIN_S) == 0
        unexpected = [error.str() for error in errors if error.code() not in _REFUSED]
        assert not unexpected, unexpected[0]
        return len(errors)
