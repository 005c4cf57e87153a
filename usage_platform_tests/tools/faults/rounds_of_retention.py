"""Kafka deletes events before they were ingested and scored: told, given up by a person, gone past.

Belongs here: the cut, the round, and what must be said. Not here: topics that are created again
(`rounds_of_topics`).
"""

import subprocess
import time
from contextlib import closing
from dataclasses import replace

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.spark.session import remote_session
from usage_platform.services.ingest import drain_topics
from usage_platform.services.score import Scorer
from usage_platform.services.tick_request import TickRequest
from usage_platform.services.topic_progress import EventsDeletedError
from usage_platform_tests.tools.faults.commands import command, environment
from usage_platform_tests.tools.faults.cuts import Cut, Outcome
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.findings import Findings
from usage_platform_tests.tools.faults.history import check
from usage_platform_tests.tools.faults.judge_of_rounds import (
    METER,
    REGISTRY,
    START,
    expected_outputs,
    timeline,
)
from usage_platform_tests.tools.faults.scored_topics import records, score_all
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.tables import judged_tables
from usage_platform_tests.topics import delete_until, put_events, renew_topics

PART = "retention"
CUTS = (Cut(PART, "deletes events that were neither ingested nor scored", None),)
_EVENTS = 120
_DELETED = 50
_SECONDS = 60.0


class RetentionRounds:
    """Rounds on one topic and one lake, which grow from round to round."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lake = services.lake
        self._events = EventStream(METER, START)
        self._kept = EventStream(METER, START)
        assert services.broker
        assert services.spark
        renew_topics(services.kafka)
        create_tables(self._lake)

    def play(self, cut: Cut) -> Outcome:
        """Delete events past both progresses, look, do what is said, judge all that is left."""
        kafka = self._services.kafka
        self._put(0)
        self._drain()
        score_all(kafka, self._lake)
        first = len(self._events.payloads)
        self._put(_DELETED)
        delete_until(kafka, USAGE, first + _DELETED)
        began = time.monotonic()
        lost = f"{_DELETED} offsets of partition 0 ({first} to {first + _DELETED - 1})"
        findings = self._stops_with(lost) + self._scorer_tells(first)
        findings += self._accepted(lost)
        self._drain()
        score_all(kafka, self._lake)
        seconds = time.monotonic() - began
        return Outcome(findings + self._judged(), seconds)

    def _put(self, deleted: int) -> None:
        """Put events; of these the first ones will be deleted."""
        first = len(self._events.payloads)
        put_events(self._services.kafka, self._events.in_order(_EVENTS), key=METER.name.encode())
        events = self._events
        self._kept = replace(
            self._kept,
            payloads=self._kept.payloads + events.payloads[first + deleted :],
            keys=self._kept.keys + events.keys[first + deleted :],
        )

    def _stops_with(self, lost: str) -> Findings:
        """Ingestion stops in a line that names what is lost and the command."""
        try:
            self._drain()
        except EventsDeletedError as error:
            says = str(error)
            if lost in says and f"accept-loss {USAGE}" in says and "\n" not in says:
                return Findings()
            return Findings(wrong=(f"ingestion said {says!r}",))
        return Findings(wrong=("ingestion went on past deleted events",))

    def _scorer_tells(self, first: int) -> Findings:
        """Scoring goes on behind them, with a line that names them."""
        kafka, reader = self._services.kafka, LakeReader(self._lake)
        with closing(Scorer(kafka, reader)) as scorer:
            notice = scorer.tick(TickRequest(timeline(), REGISTRY, _SECONDS)).notice
        expected = f"deleted offsets {first} to {first + _DELETED - 1} of partition 0"
        if expected in notice and "\n" not in notice:
            return Findings()
        return Findings(wrong=(f"the scorer said {notice!r}",))

    def _accepted(self, lost: str) -> Findings:
        """The command that the line names gives up just these."""
        done = subprocess.run(
            command(self._services.folder, "accept-loss", USAGE),
            env=environment(self._services.kafka, lake=self._lake.root),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0 and f"goes on without {lost}" in done.stdout:
            return Findings()
        return Findings(wrong=(f"accept-loss said {done.stdout + done.stderr!r}",))

    def _drain(self) -> None:
        with remote_session(self._services.spark_url) as spark:
            kafka, lake = self._services.kafka, self._lake
            drain_topics(spark, lake, REGISTRY, kafka, lambda line: None)

    def _judged(self) -> Findings:
        """All but what was deleted is in the tables and on the topics, once."""
        kept, kafka = self._kept, self._services.kafka
        told = expected_outputs(kept, len(kept.payloads))
        reader = LakeReader(self._lake)
        tables = judged_tables(reader, REGISTRY, kept.readings(), kept.rejects())
        return tables + check(told, records(kafka), [], len(self._events.payloads))
