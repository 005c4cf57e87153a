"""Which meters a scorer scores where several scorers share the topic: each meter has one of them.

Belongs here: claiming meters, and refusing one whose events lie in the partitions of two scorers.
Not here: what then becomes of the scorers (`divided_scorers`), the partitions (`score_division`).

A meter's events share a partition where they have one key and one partitioner. They do not where a
producer gives them no key or several, where two producers find the partition of a key in two ways,
nor for a while where partitions are added to the topic: meters then move.
"""

import threading
from collections.abc import Callable, Mapping

import pandas as pd

Claim = Callable[[Mapping[str, int]], Mapping[str, int]]
"""Claims meters for a scorer, each with a partition in which it is; gives those that another scorer
has claimed, each with the partition in which that one found it."""


class SharedMeterError(RuntimeError):
    """Events of a meter lie in partitions of two scorers; one line that says what to do."""

    def __init__(self, meter: str, partition: int, other: int) -> None:
        super().__init__(meter, partition, other)
        self.meter, self.partition, self.other = meter, partition, other

    def __str__(self) -> str:
        return (
            f"events of meter {self.meter} are in partitions {self.other} and {self.partition} of "
            "the topic usage, which two scorers have: give all events of a meter one key and "
            "one partitioner"
        )


class MeterClaims:
    """The meters that the scorers of one division have claimed; for use by several threads."""

    def __init__(self) -> None:
        self._claimed: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()

    def claim(self, number: int, meters: Mapping[str, int]) -> dict[str, int]:
        """Claim meters for the scorer of a number, as `Claim` says; for good, even if it fails."""
        refused: dict[str, int] = {}
        with self._lock:
            for meter, partition in meters.items():
                owner, found = self._claimed.setdefault(meter, (number, partition))
                if owner != number:
                    refused[meter] = found
        return refused


class OwnMeters:
    """The meters of one scorer.

    Args:
        claim: Claims new ones.
    """

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._own: set[str] = set()
        self._others: Mapping[str, int] = {}

    def leave_out(self, others: Mapping[str, int]) -> None:
        """Begin again, without any meter.

        Args:
            others: Meters whose state was not restored, as their newest event is in a partition of
                another scorer, and that partition.
        """
        self._own, self._others = set(), others

    def take(self, readings: pd.DataFrame) -> None:
        """Make sure that the meters of a batch are this scorer's alone, before it scores them.

        Args:
            readings: meter and partition, a row a reading.

        Raises:
            SharedMeterError: If one is not.
        """
        first = readings[["meter", "partition"]].drop_duplicates("meter")
        pairs = zip(first["meter"].tolist(), first["partition"].tolist(), strict=True)
        found = {str(meter): int(partition) for meter, partition in pairs if meter not in self._own}
        for meter, other in self._refused(found).items():
            raise SharedMeterError(meter, found[meter], other)

    def may_report(self, meter: str, partition: int) -> bool:
        """Whether a meter is this scorer's, or becomes it now, to be reported as silent.

        Args:
            meter: Its name.
            partition: One of this scorer's partitions.
        """
        return meter in self._own or not self._refused({meter: partition})

    def _refused(self, meters: Mapping[str, int]) -> Mapping[str, int]:
        if not meters:
            return {}
        known = {meter: self._others[meter] for meter in meters if meter in self._others}
        refused = {**self._claim({m: p for m, p in meters.items() if m not in known}), **known}
        self._own |= meters.keys() - refused.keys()
        return refused
