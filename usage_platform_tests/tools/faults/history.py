"""The checker of transactions: what a scorer tried, and what a reader of committed records saw.

Belongs here: lost, doubled, torn and aborted-but-read records, as pure functions on lists. Not
here: Kafka (the rounds), what should have been told (`expected_outputs`).

The anomalies are those that Jepsen's Kafka workload looks for in transactions, for records that
each have an id of their own.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from usage_platform_tests.tools.faults.findings import Findings, compare

Place = tuple[str, int, int]
"""Topic, partition and offset of a record."""


@dataclass(frozen=True)
class Record:
    """A record that a reader of committed records was given.

    Attributes:
        place: Where it lies.
        id: What it says; no two records say the same.
    """

    place: Place
    id: Hashable


@dataclass(frozen=True)
class Attempt:
    """A transaction as the scorer saw it.

    Attributes:
        places: Where the broker put its records, as it acknowledged them.
        begins: The first offset of `usage` that it consumed.
        ends: One past the last one.
        committed: Whether the broker had confirmed the commit when the scorer was stopped.
    """

    places: frozenset[Place]
    begins: int
    ends: int
    committed: bool


def check(
    expected: Sequence[Hashable], read: Sequence[Record], attempts: Sequence[Attempt], consumed: int
) -> Findings:
    """Judge a history.

    Args:
        expected: What must have been told of all that was consumed, each once.
        read: What a reader of committed records got.
        attempts: The transactions that were disturbed.
        consumed: The committed offset of the scorer's group on `usage`.
    """
    found = compare("record", expected, (record.id for record in read))
    for attempt in attempts:
        found += _judged(attempt, {record.place for record in read}, consumed)
    return found


def _judged(attempt: Attempt, read: set[Place], consumed: int) -> Findings:
    """All of a transaction that was committed is there, and nothing of another one."""
    seen = attempt.places & read
    name = f"transaction of offsets {attempt.begins} to {attempt.ends - 1}"
    if not attempt.committed:
        return Findings(
            wrong=tuple(f"{name}: aborted, but read: {_shown(place)}" for place in sorted(seen))
        )
    missing = attempt.places - seen
    torn = [f"{name}: torn, {_shown(place)} cannot be read" for place in sorted(missing)]
    if consumed < attempt.ends:
        torn.append(f"{name}: torn, the group stands at {consumed}")
    return Findings(wrong=tuple(torn))


def _shown(place: Place) -> str:
    topic, partition, offset = place
    return f"{topic}/{partition}@{offset}"
