"""Virtual meters: signed sums of meters and of each other, expanded to meters.

Belongs here: expanding them, and refusing those that need each other. Not here: groups that contain
them (`group_tree`).
"""

from collections.abc import Mapping, Sequence
from functools import cache

from usage_platform.core.fleet.groups import Member, net_members

Sums = Mapping[str, tuple[Sequence[str], Sequence[str]]]
"""By virtual meter: what is added, what is subtracted."""

MOST_LEVELS = 50
"""Virtual meters of virtual meters of ...: more are a mistake."""


def members_by_virtual_meter(sums: Sums) -> dict[str, tuple[Member, ...]]:
    """The meters of each virtual meter.

    Raises:
        ValueError: In one line, for a cycle, a meter that is in a sum twice, or too many levels.
    """

    @cache
    def expanded(name: str, above: tuple[str, ...]) -> tuple[Member, ...]:
        if name in above:
            cycle = " needs ".join(repr(one) for one in (*above[above.index(name) :], name))
            raise ValueError(f"virtual meters: {cycle}; expected no cycle")
        if len(above) > MOST_LEVELS:
            raise ValueError(f"{above[0]}: more than {MOST_LEVELS} virtual meters in each other")
        plus, minus = sums[name]
        parts = [(one, 1) for one in plus] + [(one, -1) for one in minus]
        members: list[Member] = []
        seen: set[str] = set()
        for part, sign in parts:
            if part in seen:
                raise ValueError(f"{name}: meter {part!r} is in its sum twice; name it once")
            seen.add(part)
            inner = expanded(part, (*above, name)) if part in sums else (Member(part, 1),)
            members += [one.within(None, None, sign) for one in inner]
        return net_members(members, name)

    return {name: expanded(name, ()) for name in sums}
