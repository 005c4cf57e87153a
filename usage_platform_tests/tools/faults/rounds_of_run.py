"""The process of a run killed while Spark is within its micro-batch, beside a backfill.

Belongs here: the cut, and the round. Not here: the run that halts (`services.held_batch`), kills of
Spark itself (`rounds_of_spark`).

Spark finishes the batch of a client that is gone. A backfill that had read before it and wrote
after it would put an older hour over the newer one.
"""

import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from usage_platform.adapters.lake.lease import writer_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.spark.session import remote_session
from usage_platform.core.meters import Meter
from usage_platform.services.backfill import recompute_range
from usage_platform.services.ingest import drain_topics
from usage_platform.services.lake_writer import LakeWriter
from usage_platform_tests.services.library_readings import REGISTRY
from usage_platform_tests.tools.faults.background import Background
from usage_platform_tests.tools.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.findings import Findings
from usage_platform_tests.tools.faults.retries import until_done
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.tables import judged_tables
from usage_platform_tests.topics import put_events, renew_topics, until

PART = "run"
CUTS = (Cut(PART, "within a micro-batch, beside a backfill of its days"),)
_EVENTS = 40
# For the backfill to begin, and to read if nothing held it up.
_BESIDE_SECONDS = 5.0


class RunRounds:
    """Rounds on one lake, which grows from round to round."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lake = services.lake
        self._events = EventStream(Meter("library"), pd.Timestamp("2024-03-05T10:00:00Z"))
        self._lock = services.folder / "run" / "lake_writer"
        # As the run that is killed has it: both are of one data folder.
        lease = writer_lease(self._lake, Holder("here", str(services.folder)))
        open_session = lambda: remote_session(services.spark_url)  # noqa: E731
        self._writer = LakeWriter(lease, self._lake, self._lock, open_session, lambda: True)
        assert services.broker
        assert services.spark
        renew_topics(services.kafka)
        create_tables(self._lake)

    def play(self, cut: Cut) -> Outcome:
        """Kill a run within its batch, backfill beside what Spark goes on with, judge."""
        self._put()
        until_done(self._drain)
        self._put()
        begun, goes_on = (self._services.folder / name for name in ("begun", "goes-on"))
        for path in (begun, goes_on):
            path.unlink(missing_ok=True)
        run = self._run(begun, goes_on)
        try:
            until(lambda: begun.exists() or run.poll() is not None)
            if run.poll() is not None:
                raise CutMissedError(f"{PART}: it ended before it came to its cut")
        finally:
            run.kill()
            run.wait()
        began = time.monotonic()
        backfill = Background(self._backfill)
        time.sleep(_BESIDE_SECONDS)
        has_waited = not backfill.is_over
        goes_on.touch()
        backfill.join()
        if backfill.error is not None:
            raise backfill.error
        seconds = time.monotonic() - began
        findings = self._judged()
        if not has_waited:
            findings += Findings(wrong=("the backfill did not wait for the batch",))
        # What Spark still has of the killed run is fenced by now, and ends at its next batch.
        self._put()
        until_done(self._drain)
        return Outcome(findings + self._judged(), seconds)

    def _run(self, begun: Path, goes_on: Path) -> subprocess.Popen[bytes]:
        module = "usage_platform_tests.services.held_batch"
        services = self._services
        where = (self._lake.root, str(services.folder), services.spark_url)
        given = (*where, services.kafka.bootstrap, str(begun), str(goes_on))
        return subprocess.Popen((sys.executable, "-m", module, *given))

    def _backfill(self) -> None:
        days = LakeReader(self._lake).rows(READINGS, ["event_date"])["event_date"]
        with self._writer.session() as spark:
            said: list[str] = []
            recompute_range(spark, self._lake, REGISTRY, days.min(), days.max(), said.append)

    def _put(self) -> None:
        put_events(self._services.kafka, self._events.mixed(_EVENTS))

    def _drain(self) -> None:
        with self._writer.streaming() as (spark, turn):
            kafka, lake = self._services.kafka, self._lake
            drain_topics(spark, lake, REGISTRY, kafka, lambda line: None, turn=turn)

    def _judged(self) -> Findings:
        events = self._events
        reader = LakeReader(self._lake)
        return judged_tables(reader, REGISTRY, events.readings(), events.rejects())
