"""What a guard of the list is.

Belongs here: its fields. Not here: the guards (`table_guards`, `process_guards`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """One guard.

    Attributes:
        name: What it does.
        file: Where it stands.
        text: Source that occurs once in the file.
        instead: What the file says without the guard.
        test: The test that must fail then, as pytest names it.
    """

    name: str
    file: str
    text: str
    instead: str
    test: str
