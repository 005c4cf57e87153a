"""The Spark service killed within a micro-batch, and within the write of a table.

Belongs here: the cuts, and the round at one. Not here: how a batch halts (`batch_to_cut`), how a
writer is caught before its commit (`delta_folder`).
"""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pandas as pd

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import (
    READINGS,
    TABLES,
    USAGE_HOURLY,
    LakeTable,
)
from usage_platform.adapters.spark.session import SparkFailedError, remote_session
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services import ingest as lake_streams
from usage_platform.services.ingest import drain_usage
from usage_platform_tests.tools.faults.background import Background
from usage_platform_tests.tools.faults.batch_to_cut import (
    STEPS,
    WRITTEN,
    apply_to_cut,
    apply_with_commit_held,
)
from usage_platform_tests.tools.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.tools.faults.delta_folder import (
    data_files,
    is_held,
    release_commit,
    stopped_before_commit,
)
from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.findings import Findings
from usage_platform_tests.tools.faults.retries import BETWEEN_TRIES_S, TRIES, until_done
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.tables import judged_tables
from usage_platform_tests.topics import put_events, renew_topics, until

PART = "Spark"
_EVENTS = 40
_STOP_SECONDS = 5.0
_MERGES = {
    f"between the data and the commit of {table.name}": table for table in (READINGS, USAGE_HOURLY)
}
_OPTIMIZE = "in OPTIMIZE of readings, between its data and its commit"
CUTS = (
    *(Cut(PART, place) for place in STEPS),
    *(Cut(PART, place) for place in _MERGES),
    Cut(PART, next(iter(_MERGES)), SIGSTOP),
    Cut(PART, _OPTIMIZE),
)


class SparkRounds:
    """Rounds on one lake, which grows from round to round."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._lake = services.lake
        self._reader = LakeReader(services.lake)
        self._events = EventStream(Meter("library"), pd.Timestamp("2024-03-05T10:00:00Z"))
        self._registry = MeterRegistry(self._events.meter)
        assert services.broker
        assert services.spark
        renew_topics(services.kafka)
        create_tables(self._lake)

    def play(self, cut: Cut) -> Outcome:
        """Disturb the service at the cut, let another drain finish the work, judge the tables."""
        held = _MERGES.get(cut.place)
        if held:
            work = self._halted_before_commit(held)
        elif cut.place == _OPTIMIZE:
            work = self._halted_within_optimize()
        else:
            work = self._halted_within_the_batch(cut.place)
        began = time.monotonic()
        self._services.spark.send(SIGSTOP if cut.signal is SIGSTOP else SIGKILL)
        if held:
            release_commit(self._folder(held))
        if cut.signal is SIGSTOP:
            time.sleep(_STOP_SECONDS)
            self._services.spark.send(SIGCONT)
            work.join()
        else:
            self._services.spark.start()
        if cut.place == _OPTIMIZE:
            self._put()
            until_done(self._optimize)
        until_done(self._drain)
        seconds = time.monotonic() - began
        findings = self._judged()
        work.join()
        return Outcome(findings, seconds)

    def without_lake(
        self, apply: Callable[..., None], come_back: Callable[[], None]
    ) -> tuple[str, Findings]:
        """Take the lake away within a batch; have it back, and drain the rest.

        Args:
            apply: Takes the lake away while it applies a batch.
            come_back: Brings it back.

        Returns:
            What the batch said, and what is wrong with the tables in the end.
        """
        self._put()
        try:
            self._drain(apply)
            raise CutMissedError(f"{PART}: the batch did not need its lake any more")
        except SparkFailedError as error:
            said = str(error)
        come_back()
        until_done(self._drain)
        return said, self._judged()

    def _judged(self) -> Findings:
        events = self._events
        return judged_tables(self._reader, self._registry, events.readings(), events.rejects())

    def _halted_within_the_batch(self, place: str) -> Background:
        marker = self._services.folder / "halted"
        marker.unlink(missing_ok=True)
        before = {table: self._reader.state(table).version for table in TABLES}
        self._put()
        work = self._drain_to_cut(partial(apply_to_cut, place, str(marker)), marker.exists)
        written = {table for table in TABLES if self._reader.state(table).version > before[table]}
        if work.is_over or written != WRITTEN[place]:
            raise CutMissedError(f"{PART}, {place}: the batch was not there ({_reason(work)})")
        return work

    def _halted_before_commit(self, table: LakeTable) -> Background:
        folder = self._folder(table)
        held = partial(is_held, folder, data_files(folder))
        self._put()
        work = self._drain_to_cut(partial(apply_with_commit_held, table), held)
        if work.is_over:
            raise CutMissedError(f"{table.name}: no commit was held ({_reason(work)})")
        return work

    def _drain_to_cut(self, apply: Callable[..., None], is_there: Callable[[], bool]) -> Background:
        """A drain that halts at the cut, or is over without having reached it."""
        work = self._drain_until(apply, is_there)
        for _ in range(TRIES - 1):
            if not work.is_over:
                break
            time.sleep(BETWEEN_TRIES_S)
            work = self._drain_until(apply, is_there)
        return work

    def _drain_until(self, apply: Callable[..., None], is_there: Callable[[], bool]) -> Background:
        work = Background(partial(self._drain, apply))
        until(lambda: is_there() or work.is_over)
        return work

    def _halted_within_optimize(self) -> Background:
        for _ in range(TRIES):
            self._add_file()
            work = Background(self._optimize)
            if stopped_before_commit(
                self._folder(READINGS), self._services.spark, lambda work=work: work.is_over
            ):
                return work
            work.join()
            if work.error is not None:
                time.sleep(BETWEEN_TRIES_S)
        raise CutMissedError(f"{READINGS.name}: OPTIMIZE was never caught before its commit")

    def _put(self) -> None:
        put_events(self._services.kafka, self._events.mixed(_EVENTS))

    def _drain(self, apply: Callable[..., None] | None = None) -> None:
        kafka = self._services.kafka
        with remote_session(self._services.spark_url) as spark:
            if apply is None:
                drain_usage(spark, self._lake, self._registry, kafka, USAGE)
            else:
                disturbed = partial(apply, self._lake, self._registry)
                lake_streams._drain(spark, self._lake, kafka, USAGE, "", disturbed)

    def _add_file(self) -> None:
        """Give OPTIMIZE something to put together with what earlier batches wrote."""
        self._put()
        until_done(self._drain)

    def _optimize(self) -> None:
        with remote_session(self._services.spark_url) as spark:
            spark.sql(f"OPTIMIZE {self._lake.sql(READINGS)}").collect()

    def _folder(self, table: LakeTable) -> Path:
        return Path(self._lake.table(table))


def _reason(work: Background) -> str:
    return str(work.error).partition("\n")[0]
