"""Readings of meters to readings of groups: published on `usage` under the group's name.

Belongs here: which readings are looked at, and one Kafka transaction for the sums and the position.
Not here: the sums (`core.fleet.group_readings`), the position (`group_position`), when it runs
(`defs`).

The sums are a function of the table `readings`. A tick takes the files that the table has got since
the last one, computes the intervals that their rows touch from all readings there, and publishes
what differs from the group's own rows. So a late or corrected reading of a meter corrects the sums
by the same way as the first one makes them, and a group that is new gets its history. Groups
consist of meters and never of groups, so that nothing that is published here leads to more.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

import pandas as pd
from confluent_kafka import Consumer

from usage_platform.adapters.kafka.producing import produce, within
from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import ANSWER_SECONDS, SUMS_GROUP, USAGE, KafkaSettings
from usage_platform.adapters.lake.lake_id import lake_id
from usage_platform.adapters.lake.new_readings import (
    NewFiles,
    files_of,
    new_files,
    readings_between,
    readings_in,
)
from usage_platform.adapters.lake.reader import DayFiles, LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.fleet.group_readings import group_readings, touched_intervals
from usage_platform.core.fleet.missing_members import MissingMembers
from usage_platform.core.fleet.summed_groups import SummedGroup
from usage_platform.core.readings.messages import usage_messages
from usage_platform.core.time.units import NS_AN_HOUR
from usage_platform.services.group_position import (
    GroupPosition,
    committed_position,
    definition_of,
)
from usage_platform.services.group_tick import GroupTick
from usage_platform.services.offset_marks import Work, check_lake_of_stage
from usage_platform.services.score_fencing import (
    COMMITTED,
    TRANSACTION_TIMEOUT_MS,
    fenced_as_own_error,
    transactional_producer,
)

MOST_ROWS = 150_000
"""Readings of a day that are summed at once, by the intervals of their meters; 100 bytes each."""

_NO_FILES = DayFiles(version=-1, files={})


class SumsFencedError(RuntimeError):
    """Another one sums the groups; one line that says what happens to the sums of this one."""

    def __init__(self) -> None:
        super().__init__(
            "another process sums the groups now, or this one stood still for longer than the "
            f"{TRANSACTION_TIMEOUT_MS / 1000:.0f} s of a transaction: the next one computes again "
            "what this one did not commit"
        )


class GroupSums:
    """A stage with its connections, kept from tick to tick. Not thread-safe.

    It holds the paths of the files of `readings` and what is missing, and while it works the
    readings of some groups on one day.

    Args:
        kafka: The brokers.
        reader: The lake's tables.

    Raises:
        OtherLakeError: When the groups are summed for another lake.
    """

    def __init__(self, kafka: KafkaSettings, reader: LakeReader) -> None:
        self._kafka = kafka
        self._reader = reader
        self._producer = transactional_producer(kafka, SUMS_GROUP)
        self._consumer = Consumer(kafka.client(**{"group.id": SUMS_GROUP, **COMMITTED}))
        self._lake_id = lake_id(reader.lake)
        check_lake_of_stage(kafka, self._lake_id, Work(USAGE, SUMS_GROUP, "summed"))
        # Fences one that is still alive elsewhere: its transaction can no longer commit.
        with fenced_as_own_error(self._producer, SumsFencedError):
            self._producer.init_transactions(ANSWER_SECONDS)
        self._topic: str = ""
        self._position = GroupPosition()
        # The files of the versions `base` and `target` of the position.
        self._base = self._target = _NO_FILES
        self._missing = MissingMembers()

    def tick(self, groups: tuple[SummedGroup, ...], seconds: float) -> GroupTick:
        """Publish the sums that have changed, until that is done or the time is up.

        Args:
            groups: The groups.
            seconds: Deadline of the tick; a day that has begun is finished and committed.

        Raises:
            KafkaException: The stage must be closed and replaced; nothing is lost.
            SumsFencedError: Another one has taken over; this one must be closed.
            LakeError: When the lake cannot be read.
        """
        started = time.monotonic()
        tick = GroupTick()
        self._resume(definition_of(groups))
        deadline = started + seconds
        has_begun = self._position.base != self._position.target
        if not has_begun or self._add_days(groups, deadline, tick):
            self._begin()
            tick.is_caught_up = self._add_days(groups, deadline, tick)
        tick.seconds = time.monotonic() - started
        return tick

    def close(self) -> None:
        """Close the connections; the start of the next one aborts an open transaction."""
        self._consumer.close()

    def _resume(self, groups: str) -> None:
        """Take up the committed position if it is not known, or is of other groups."""
        topic: str = topic_id(self._kafka, USAGE) or ""
        if topic != self._topic:
            self._topic, self._position = topic, committed_position(self._consumer, topic)
            self._base = self._files(self._position.base)
            self._target = self._files(self._position.target)
        known = self._base.version, self._target.version
        is_lost = known != (self._position.base, self._position.target)
        if self._position.groups != groups or is_lost:
            self._position = GroupPosition(groups)
            self._base = self._target = _NO_FILES

    def _files(self, version: int) -> DayFiles:
        return _NO_FILES if version < 0 else files_of(self._reader.lake, version) or _NO_FILES

    def _begin(self) -> None:
        """Make the present version of the table the target."""
        self._target = self._reader.day_files(READINGS)
        self._position = replace(self._position, target=self._target.version, done=None)

    def _add_days(self, groups: tuple[SummedGroup, ...], deadline: float, tick: GroupTick) -> bool:
        """Add the days of the files up to the target; returns whether all are done."""
        done = self._position.done
        for day, paths in new_files(self._base, self._target).items():
            if done is not None and day <= done:
                continue
            sums = self._sums_of(groups, {day: paths}, tick)
            tick.days += 1
            self._position = replace(self._position, done=day)
            if len(sums):
                self._publish(sums, tick)
            if time.monotonic() >= deadline:
                return False
        if self._base.version != self._target.version:
            self._base = self._target
            self._position = replace(self._position, base=self._target.version, done=None)
            self._publish(_no_sums(), tick)
        return True

    def _sums_of(
        self, groups: tuple[SummedGroup, ...], files: NewFiles, tick: GroupTick
    ) -> pd.DataFrame:
        """The sums that new files of a day change: `meter`, `ts`, `value`."""
        [(day, paths)] = files.items()
        parts = [_no_sums()]
        for some in _portions(groups):
            members = {one.meter.name for group in some for one in group.members}
            new = readings_in(self._reader.lake, day, paths, members)
            touched = touched_intervals(some, new)
            if touched.empty:
                continue
            first, last = (
                pd.Timestamp(at, tz="UTC") for at in touched["start"].agg(["min", "max"])
            )
            names = {group.meter.name for group in some}
            end = last + pd.Timedelta(NS_AN_HOUR)
            rows = readings_between(self._reader, members | names, first, end)
            sums = group_readings(some, rows, touched)
            tick.missing += self._missing.add(sums.members)
            tick.incomplete += len(touched) - len(sums.readings)
            parts.append(_differing(sums.readings, rows))
        return pd.concat(parts).sort_values(["ts", "meter"], ignore_index=True)

    def _publish(self, sums: pd.DataFrame, tick: GroupTick) -> None:
        with fenced_as_own_error(self._producer, SumsFencedError):
            self._commit(sums)
        tick.add(sums)

    def _commit(self, sums: pd.DataFrame) -> None:
        producer = self._producer
        producer.begin_transaction()
        put = partial(produce, producer, seconds=TRANSACTION_TIMEOUT_MS / 1000)
        for meter, value in zip(sums["meter"], usage_messages(sums), strict=True):
            put(USAGE, value, meter.encode())
        offsets = self._position.offsets(self._topic, self._lake_id)
        group = self._consumer.consumer_group_metadata()
        # As in the scorer: the call ignores its own time limit when the coordinator goes away.
        within(
            ANSWER_SECONDS,
            lambda: producer.send_offsets_to_transaction(offsets, group, ANSWER_SECONDS),
        )
        producer.commit_transaction(ANSWER_SECONDS)


def _portions(groups: Sequence[SummedGroup]) -> Iterator[tuple[SummedGroup, ...]]:
    """Groups whose readings of a day fit into memory together; at least one."""
    some: list[SummedGroup] = []
    rows = 0
    for group in groups:
        more = sum(24 * one.meter.readings_per_hour for one in group.members)
        if some and rows + more > MOST_ROWS:
            yield tuple(some)
            some, rows = [], 0
        some.append(group)
        rows += more
    if some:
        yield tuple(some)


def _differing(sums: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """The sums that the table does not have."""
    own = rows.rename(columns={"event_time": "ts", "value": "known"})
    both = sums.merge(own, on=["meter", "ts"], how="left")
    return sums[both["value"].ne(both["known"]).to_numpy()]


def _no_sums() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "meter": pd.Series(dtype=object),
            "ts": pd.Series(dtype="datetime64[ns, UTC]"),
            "value": pd.Series(dtype=float),
        }
    )
