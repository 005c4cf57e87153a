"""What an attack is, and what is said of one that was tried.

Belongs here: the judging. Not here: the attacks (the other files of this folder).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class By(StrEnum):
    """Who attacks."""

    WRITER = "whoever may write events"
    USER = "another user of this machine"
    PAGE = "a foreign web page"
    PROGRAM = "a program that can connect"


class Outcome(StrEnum):
    """The result of an attack."""

    REFUSED = "refused"
    WORKED = "worked"
    LEFT_OUT = "left out"
    """This machine, or this user, cannot try it."""
    NOT_TRIED = "not tried"
    """It failed for another reason than the platform's defence, so that nothing was shown."""


class Verdict(StrEnum):
    """What is said of it."""

    HELD = "held"
    KNOWN_LIMIT = "known limit"
    LEFT_OUT = "left out"
    WORKS = "WORKS"
    NOT_TRIED = "NOT TRIED"
    DOCS_ARE_WRONG = "HELD, AND docs/security.md SAYS THAT IT WORKS"

    @property
    def is_fine(self) -> bool:
        """Whether the platform does what its documentation says."""
        return self in (Verdict.HELD, Verdict.KNOWN_LIMIT, Verdict.LEFT_OUT)


@dataclass(frozen=True)
class Attack:
    """One attack.

    Attributes:
        name: As the table of docs/security.md names it.
        by: Who attacks.
        limit: Where it works: the sentence of docs/security.md that says so. Empty where it must
            be refused.
    """

    name: str
    by: By
    limit: str = ""


@dataclass(frozen=True)
class Tried:
    """The result of one try.

    Attributes:
        outcome: Whether it worked.
        seen: What showed it, in a few words.
    """

    outcome: Outcome
    seen: str


@dataclass(frozen=True)
class Attempt:
    """An attack on one thing.

    Attributes:
        attack: The attack.
        on: What is attacked, such as "the page".
        run: Tries it; what it raises means that nothing was shown.
    """

    attack: Attack
    on: str
    run: Callable[[], Tried]


def worked(has_worked: bool, seen: object) -> Tried:
    """The result of a try that either worked or was refused."""
    return Tried(Outcome.WORKED if has_worked else Outcome.REFUSED, str(seen))


def tried(run: Callable[..., Tried], *args: Any) -> Tried:
    """Run a try; what it raises means that nothing was shown."""
    try:
        return run(*args)
    except Exception as error:
        return Tried(Outcome.NOT_TRIED, f"{type(error).__name__}: {error}")


def verdict_of(attack: Attack, outcome: Outcome, docs: str) -> Verdict:
    """What is said of an attack.

    Args:
        attack: What was tried.
        outcome: Its result.
        docs: The text of docs/security.md.
    """
    is_stated = bool(attack.limit) and one_line(attack.limit) in one_line(docs)
    if outcome is Outcome.LEFT_OUT:
        return Verdict.LEFT_OUT
    if outcome is Outcome.NOT_TRIED:
        return Verdict.NOT_TRIED
    if outcome is Outcome.WORKED:
        return Verdict.KNOWN_LIMIT if is_stated else Verdict.WORKS
    return Verdict.DOCS_ARE_WRONG if is_stated else Verdict.HELD


def line_of(attack: Attack, on: str, verdict: Verdict, seen: str) -> str:
    """The line that is printed of an attack."""
    return f"{verdict}: {attack.name}, {attack.by}, on {on} ({one_line(seen)[:160]})"


def one_line(text: str) -> str:
    """A text without its line breaks."""
    return " ".join(text.split())


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 where the platform does what its documentation says, 1 where not or nothing was tried."""
    return 0 if verdicts and all(verdict.is_fine for verdict in verdicts) else 1
