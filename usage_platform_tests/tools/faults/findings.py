"""What a judge found wrong after a round: lost, doubled, or wrong in another way."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Findings:
    """What is wrong, a line each; all empty when all is right.

    Attributes:
        lost: What is missing.
        doubled: What is there more than once.
        wrong: What is there and should not be, or is other than it should be.
    """

    lost: tuple[str, ...] = ()
    doubled: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def __add__(self, other: "Findings") -> "Findings":
        """Both together."""
        return Findings(
            self.lost + other.lost, self.doubled + other.doubled, self.wrong + other.wrong
        )

    @property
    def is_clean(self) -> bool:
        """Whether nothing is wrong."""
        return self == Findings()

    @property
    def lines(self) -> list[str]:
        """All findings, each with its kind."""
        kinds = {"lost": self.lost, "doubled": self.doubled, "wrong": self.wrong}
        return [f"{kind}: {line}" for kind, lines in kinds.items() for line in lines]


def compare(what: str, expected: Iterable[Hashable], found: Iterable[Hashable]) -> Findings:
    """Compare ids that must be there with those that are, in any order.

    Args:
        what: What they are ids of, for the lines.
        expected: The ids that must be there, as often as they are given here.
        found: The ids that are there.
    """
    wanted, there = Counter(expected), Counter(found)
    return Findings(
        lost=tuple(f"{what} {one}" for one in sorted(wanted - there, key=str)),
        doubled=tuple(
            f"{what} {one} x {there[one]}"
            for one in sorted(there - wanted, key=str)
            if one in wanted
        ),
        wrong=tuple(
            f"{what} {one}, not expected" for one in sorted(set(there) - set(wanted), key=str)
        ),
    )
