"""A game on one lake and one topic of its own: events, crashes, backfills and upkeep, any order.

Belongs here: the operations, and what must be in the tables after each. Not here: which games are
played (`test_state_machine`).
"""

import json
import shutil
from datetime import date
from uuid import uuid4

import pandas as pd
import pytest
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
)

from usage_platform.adapters.kafka.topics import end_offsets
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY, Lake
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services import ingest as lake_streams
from usage_platform.services.backfill import recompute_days
from usage_platform_tests import oracle
from usage_platform_tests.oracle import Event, event
from usage_platform_tests.services.crashing_batch import CUTS, crashing_at

MINUTES = {"library": 5, "annex": 15, "shed": 5}
REGISTRY = MeterRegistry(Meter("library")).with_meters([Meter("annex", "Europe/Rome", 15)])
# The evening before the clocks of the library go forward.
START = pd.Timestamp("2024-03-09T22:30:00Z")
STEP = pd.Timedelta(minutes=15)
MALFORMED = (b"", b"not json", b"[1]", b'{"ts": "2024-03-09T23:00:00Z"}', b'{"value": NaN}')
# An hour that the clocks skip, one that they pass twice, and the two around the skipped one.
CLOCK_CHANGES = (
    ("2024-03-10 02:30:00", None),
    ("2024-11-03 01:30:00", None),
    ("2024-03-10 01:55:00", "2024-03-10T06:55:00Z"),
    ("2024-03-10 03:00:00", "2024-03-10T07:00:00Z"),
)


class LakeGame(RuleBasedStateMachine):
    """One lake and one topic of its own, and what must be in them."""

    def __init__(self, world):
        super().__init__()
        self.world = world
        self.name = f"usage-{uuid4().hex}"
        self.lake = Lake(str(world.folder / self.name))
        shutil.copytree(world.folder / "empty", self.lake.root)
        self.admin = AdminClient(world.kafka.client())
        config = {"message.timestamp.type": "LogAppendTime"}
        self.admin.create_topics([NewTopic(self.name, 1, 1, config=config)])[self.name].result()
        self.partitions = 1
        self.wait_for_partitions()
        self.clock = dict.fromkeys(MINUTES, START)
        self.silent = set()
        self.sent = []
        self.meaning = {}
        self.waiting = False
        # The events that each table knows of; those of a batch that crashed and comes first again.
        self.known = {READINGS: [], USAGE_HOURLY: [], REJECTS: []}
        self.crashed = None
        self.readings_since_the_hours = []

    def wait_for_partitions(self):
        while len(end_offsets(self.world.kafka, self.name)) < self.partitions:
            pass

    # What comes.

    def send(self, events, partition=0):
        self.meaning |= {e.payload: e.reading for e in events}
        self.sent += [e for e in events if e.reading]
        messages = [(partition % self.partitions, e.payload) for e in events]
        self.world.put(self.world.kafka, messages, topic=self.name)
        self.waiting = True

    def next_of(self, meter, number):
        self.clock[meter] += STEP
        return event(meter, self.clock[meter], number / 7)

    def in_order(self, number):
        meters = [meter for meter in MINUTES if meter not in self.silent]
        return [self.next_of(meter, number) for meter in meters for _ in range(1 + number % 6)]

    def duplicate(self, number):
        return [self.sent[number % len(self.sent)]] * 2 if self.sent else []

    def corrected(self, number):
        if not self.sent:
            return []
        meter, ts, value = self.sent[number % len(self.sent)].reading
        return [event(meter, ts, value + number + 1)]

    def late_by_hours(self, number):
        meter = ("library", "annex")[number % 2]
        return [event(meter, self.clock[meter] - pd.Timedelta(hours=1 + number % 6), number / 3)]

    def late_by_days(self, number):
        return [event("library", START - pd.Timedelta(days=1 + number % 40), number / 3)]

    def one_meter_behind(self, number):
        behind = self.clock["library"] - pd.Timedelta(hours=5)
        times = [behind + pd.Timedelta(minutes=15 * n) for n in range(number % 20)]
        own = [event("annex", ts, number / 9) for ts in times]
        return [*reversed(own), *self.in_order(number)]

    def malformed(self, number):
        return [Event(MALFORMED[number % len(MALFORMED)] + b" " * number, None)]

    def dated_2099(self, number):
        far = event("library", "2099-01-01T00:00:00Z", float(number))
        return [Event(far.payload, None)]

    def clock_change(self, number):
        local, instant = CLOCK_CHANGES[number % len(CLOCK_CHANGES)]
        payload = json.dumps({"ts": local, "value": float(number)}).encode()
        reading = ("library", pd.Timestamp(instant), float(number)) if instant else None
        return [Event(payload, reading)]

    def falls_silent_or_speaks_again(self, number):
        self.silent ^= {("annex", "shed")[number % 2]}
        return []

    KINDS = (
        in_order,
        duplicate,
        corrected,
        late_by_hours,
        late_by_days,
        one_meter_behind,
        malformed,
        dated_2099,
        clock_change,
        falls_silent_or_speaks_again,
    )

    # The steps.

    @initialize()
    def begin(self):
        self.send(self.in_order(3))

    @rule(
        parts=st.lists(
            st.tuples(st.sampled_from(KINDS), st.integers(0, 500)), min_size=1, max_size=8
        ),
        partition=st.integers(0, 2),
    )
    def produce(self, parts, partition):
        events = [e for kind, number in parts for e in kind(self, number)]
        if events:
            self.send(events, partition)

    @precondition(lambda self: self.waiting)
    @rule()
    def run(self):
        self.drain()
        self.known = dict.fromkeys(self.known, self.on_topic())
        self.crashed, self.waiting = None, False
        self.readings_since_the_hours.clear()
        self.check()

    @rule(cut=st.sampled_from(sorted(CUTS)))
    def crash(self, cut):
        self.send([self.next_of("library", 1), Event(b"crash", None)])
        # A batch that crashed before comes again as it was planned, and first.
        batch = self.crashed or self.on_topic()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(lake_streams, "write_usage_batch", crashing_at(cut))
            with pytest.raises(Exception, match=f"crashed {cut}"):
                self.drain()
        reached = (REJECTS, READINGS, USAGE_HOURLY)[: list(CUTS).index(cut)]
        self.known |= dict.fromkeys(reached, batch)
        self.crashed = batch
        if USAGE_HOURLY in reached:
            self.readings_since_the_hours.clear()
        elif READINGS in reached:
            self.readings_since_the_hours.append(batch)
        self.check()

    @rule()
    def lose_the_checkpoint(self):
        shutil.rmtree(self.lake.checkpoint(self.name), ignore_errors=True)
        self.crashed, self.waiting = None, True

    @precondition(lambda self: self.known[READINGS])
    @rule(number=st.integers(0, 500))
    def backfill_a_day(self, number):
        days = oracle.readings_of(self.known[READINGS])["event_time"].dt.date.unique()
        self.backfill(days[number % len(days)])

    def backfill(self, day: date):
        recompute_days(self.world.spark, self.lake, REGISTRY, day, day)
        self.check()
        expected = oracle.tables_of(self.known[READINGS], MINUTES)[USAGE_HOURLY]
        there = oracle.rows_in(self.lake, USAGE_HOURLY)[expected.columns]
        there, expected = (rows[rows["start"].dt.date == day] for rows in (there, expected))
        pd.testing.assert_frame_equal(
            there.reset_index(drop=True), expected.reset_index(drop=True), check_exact=True
        )

    @precondition(lambda self: self.known[READINGS])
    @rule()
    def optimize_and_vacuum(self):
        spark = self.world.spark
        check = "spark.databricks.delta.retentionDurationCheck.enabled"
        spark.conf.set(check, "false")
        for table in (READINGS, USAGE_HOURLY):
            spark.sql(f"OPTIMIZE {self.lake.sql(table)}").collect()
            spark.sql(f"VACUUM {self.lake.sql(table)} RETAIN 0 HOURS").collect()
        spark.conf.unset(check)
        self.check()

    @precondition(lambda self: self.partitions < 3)
    @rule()
    def add_a_partition(self):
        self.partitions += 1
        more = NewPartitions(self.name, self.partitions)
        self.admin.create_partitions([more])[self.name].result()
        self.wait_for_partitions()

    # What must be.

    def drain(self):
        kafka = self.world.kafka
        lake_streams.drain_usage(self.world.spark, self.lake, REGISTRY, kafka, self.name)

    def on_topic(self):
        return [
            Event(
                message.value(),
                self.meaning[message.value()],
                message.offset(),
                message.partition(),
                pd.Timestamp(message.timestamp()[1], unit="ms", tz="UTC"),
            )
            for message in self.world.read_all(self.world.kafka, self.name)
        ]

    def check(self):
        for table, events in self.known.items():
            expected = oracle.tables_of(events, MINUTES)[table]
            if table is USAGE_HOURLY and self.readings_since_the_hours:
                self.check_hours_behind_the_readings(expected)
            else:
                oracle.assert_table(self.lake, table, expected)

    def check_hours_behind_the_readings(self, old):
        """After a crash between the two each hour is as it was, or as a backfill since made it."""
        states = [oracle.tables_of(events, MINUTES) for events in self.readings_since_the_hours]
        possible = pd.concat([old, *(state[USAGE_HOURLY] for state in states)]).drop_duplicates()
        there = oracle.rows_in(self.lake, USAGE_HOURLY)[possible.columns]
        assert len(there.merge(possible)) == len(there) >= len(old)

    def teardown(self):
        self.drain()
        oracle.assert_right(self.lake, self.on_topic(), MINUTES)
