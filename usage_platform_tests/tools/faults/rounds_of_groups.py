"""Groups: the stage that sums them killed within its transaction.

Belongs here: the cuts, the round at one, and judging it. Not here: how the stage stops
(`summer_to_cut`), the meters and the sums by hand (`services.summed_world`).
"""

import subprocess
import sys
import time
from contextlib import closing
from datetime import date

import pandas as pd

from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import SUMS_GROUP, USAGE, KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services.group_position import committed_position
from usage_platform.services.offset_marks import reader_of_offsets
from usage_platform.services.sum_groups import GroupSummer
from usage_platform_tests.services.summed_world import (
    BEGIN,
    GROUPS,
    Ingestion,
    published,
    readings,
    send,
    sums_by_hand,
)
from usage_platform_tests.tools.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.tools.faults.findings import Findings
from usage_platform_tests.tools.faults.judge_of_samples import Reading, judged_readings
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.tools.faults.stopping_producer import PLACES
from usage_platform_tests.topics import renew_topics, until

PART = "groups"
CUTS = tuple(Cut(PART, f"sums, {place}") for place in PLACES)
_DAYS = 3


class GroupRounds:
    """Rounds on topics that are made anew for each, each with a lake of its own."""

    cuts = CUTS

    def __init__(self, services: Services) -> None:
        self._services = services
        self._rounds = 0
        assert services.broker

    def play(self, cut: Cut) -> Outcome:
        """Kill at the cut, judge what it left, let the rest be summed, judge again."""
        kafka = self._services.kafka
        self._rounds += 1
        lake = Lake(str(self._services.folder / f"groups-{self._rounds}"))
        renew_topics(kafka)
        ingestion = Ingestion(kafka, lake)
        parts = [readings(begin=BEGIN + n * pd.Timedelta(days=1)) for n in range(_DAYS)]
        rows = pd.concat(parts)
        send(kafka, rows)
        ingestion.run()
        sums = sums_by_hand(rows)
        began = self._killed(lake, cut.place.removeprefix("sums, "))
        done = _done(kafka)
        findings = _judged(kafka, {key: kw for key, kw in sums.items() if key[1].date() <= done})
        for _ in range(2):
            with closing(GroupSummer(kafka, LakeReader(lake))) as summer:
                assert summer.tick(GROUPS, 60.0).is_caught_up
            ingestion.run()
        seconds = time.monotonic() - began
        return Outcome(findings + _judged(kafka, sums), seconds)

    def _killed(self, lake: Lake, place: str) -> float:
        note = self._services.folder / "group-note"
        note.unlink(missing_ok=True)
        module = "usage_platform_tests.tools.faults.summer_to_cut"
        given = (self._services.kafka.bootstrap, lake.root, place, str(note))
        stage = subprocess.Popen((sys.executable, "-m", module, *given))
        try:
            until(lambda: note.exists() or stage.poll() is not None)
            if stage.poll() is not None:
                raise CutMissedError(f"{PART}: the stage ended before it came to its cut")
            return time.monotonic()
        finally:
            stage.kill()
            stage.wait()


def _done(kafka: KafkaSettings) -> date:
    """The last day whose sums are published, by the committed position."""
    with reader_of_offsets(kafka, SUMS_GROUP) as client:
        return committed_position(client, topic_id(kafka, USAGE) or "").done or date.min


def _judged(kafka: KafkaSettings, sums: dict[Reading, float]) -> Findings:
    found = [((meter, ts), kw) for meter, ts, kw in published(kafka)]
    return judged_readings("sum", sums, found)
