"""Live meters: the averager killed within its transaction, the broker of MQTT killed in between.

Belongs here: the cuts, and the round at one. Not here: how an averager stops (`averager_to_cut`),
the broker and the devices (`collecting`), the judge (`judge_of_samples`).
"""

import subprocess
import sys
import time
from contextlib import closing

from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import remote_session
from usage_platform.services.average_samples import SampleAverager
from usage_platform.services.ingest import drain_usage
from usage_platform_tests.services.simulated_devices import METERS, REGISTRY
from usage_platform_tests.tools.faults.collecting import MqttProcess, collect_over_a_kill
from usage_platform_tests.tools.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.tools.faults.findings import Findings
from usage_platform_tests.tools.faults.history import Attempt
from usage_platform_tests.tools.faults.judge_of_samples import (
    SentSamples,
    judged_table,
    judged_topics,
)
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.stopping_producer import PLACES, attempt_in
from usage_platform_tests.topics import renew_sample_topics, renew_topics, until

PART = "samples"
_MQTT = "the MQTT broker, while devices send and the collector runs"
CUTS = (*(Cut(PART, f"averager, {place}") for place in PLACES), Cut(PART, _MQTT))
_TICK_SECONDS = 60.0


class SampleRounds:
    """Rounds on topics that are made anew for each, each with a lake of its own."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ports = services.ask_port(), services.ask_port()
        self._rounds = 0
        assert services.broker
        assert services.spark

    def play(self, cut: Cut) -> Outcome:
        """Disturb at the cut, let the rest be averaged and ingested, judge."""
        kafka = self._services.kafka
        self._rounds += 1
        lake = Lake(str(self._services.folder / f"samples-{self._rounds}"))
        renew_topics(kafka)
        renew_sample_topics(kafka)
        findings, rejects = Findings(), list[bytes]()
        if cut.place == _MQTT:
            with MqttProcess(self._services.folder, *self._ports) as broker:
                began = collect_over_a_kill(kafka, self._services.folder, broker)
        else:
            sent = SentSamples()
            for _ in range(2):
                sent.put_half(kafka)
            place = cut.place.removeprefix("averager, ")
            began, attempt = self._killed_averager(lake, place)
            findings = sent.judged(kafka, [attempt])
            rejects = sent.bad
        _average(kafka, lake)
        self._ingest(lake)
        seconds = time.monotonic() - began
        return Outcome(findings + judged_topics(kafka, rejects) + judged_table(lake), seconds)

    def _killed_averager(self, lake: Lake, place: str) -> tuple[float, Attempt]:
        note = self._services.folder / "sample-note"
        note.unlink(missing_ok=True)
        module = "usage_platform_tests.tools.faults.averager_to_cut"
        given = (self._services.kafka.bootstrap, lake.root, place, str(note))
        averager = subprocess.Popen((sys.executable, "-m", module, *given))
        try:
            until(lambda: note.exists() or averager.poll() is not None)
            if averager.poll() is not None:
                raise CutMissedError(f"{PART}: the averager ended before it came to its cut")
            return time.monotonic(), attempt_in(note)
        finally:
            averager.kill()
            averager.wait()

    def _ingest(self, lake: Lake) -> None:
        create_tables(lake)
        with remote_session(self._services.spark_url) as spark:
            drain_usage(spark, lake, REGISTRY, self._services.kafka, USAGE)


def _average(kafka: KafkaSettings, lake: Lake) -> None:
    with closing(SampleAverager(kafka, lake)) as averager:
        assert averager.tick(METERS, REGISTRY, _TICK_SECONDS).is_caught_up
