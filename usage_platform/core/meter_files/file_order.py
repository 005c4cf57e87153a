"""The order of the files of a source: part2 before part10.

Belongs here: the sort key of names. Not here: finding files (`wiring.sources`, adapters).
"""

import re


def natural_order(name: str) -> list[tuple[int, str]]:
    """A key that sorts part2 before part10."""
    return [(int(part) if part.isdecimal() else -1, part) for part in re.split(r"(\d+)", name)]
