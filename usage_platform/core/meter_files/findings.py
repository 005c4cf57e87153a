"""What is known of a file, how surely, and what a person must say about it.

Belongs here: the types of the findings. Not here: how they are reached (`layout`, `meaning`).
"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from enum import StrEnum


class Certainty(StrEnum):
    """How surely a property of a file is known."""

    CERTAIN = "certain"
    GIVEN = "given"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True)
class Property:
    """One property of a file, such as its delimiter.

    Attributes:
        name: What it is.
        value: What was found, for people.
        certainty: Whether it is certain, given by an option, or uncertain.
        option: The options that say the same, ready for the command line; none if there are none.
    """

    name: str
    value: str
    certainty: Certainty
    option: tuple[str, ...] = ()

    def as_property(self, uncertain: AbstractSet[str]) -> "Property":
        """The same, uncertain if its name is among these."""
        if self.name not in uncertain:
            return self
        return replace(self, certainty=Certainty.UNCERTAIN)


@dataclass(frozen=True)
class Uncertain:
    """Something that would change the numbers and that the file does not say.

    Attributes:
        name: Which property it is.
        option: The option that settles it, such as "--unit kWh".
        reason: Why it is uncertain, in one line that starts with the file and names the option.
    """

    name: str
    option: str
    reason: str
