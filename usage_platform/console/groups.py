"""`usage-platform groups`: the groups as a table, and what is wrong with their file."""

from collections import Counter

from rich.table import Table

from usage_platform.console.screen import table
from usage_platform.core.fleet.groups import Group, GroupKind, Groups, Member
from usage_platform.core.time.needed_hours import written_schedule


def counted(groups: Groups) -> str:
    """How many groups there are, in one line."""
    kinds = Counter(group.kind for group in groups.groups)
    meters = {member.meter for group in groups.groups for member in group.members}
    parts = [f"{kinds[kind]:,} {kind.value}s" for kind in GroupKind]
    return f"groups: {', '.join(parts)}, {len(meters):,} meters; nothing is wrong"


def listed(groups: Groups) -> Table:
    """All groups with the meters of their sums."""
    rows = table("Groups", "group", "kind", "m²", "needed", "sum", numbers=("m²",))
    for group in groups.groups:
        indent = "" if group.parent is None else "  "
        area = "" if group.area_m2 is None else f"{group.area_m2:,.0f}"
        needed = "" if group.needed is None else written_schedule(group.needed)
        rows.add_row(f"{indent}{group.name}", _kind(group), area, needed, _sum(group))
    return rows


def _kind(group: Group) -> str:
    return f"{group.kind.value}, {group.use}" if group.use else group.kind.value


def _sum(group: Group) -> str:
    return " ".join(map(_term, group.members))


def _term(member: Member) -> str:
    span = [f"from {member.since}"] if member.since else []
    span += [f"until {member.until}"] if member.until else []
    sign = "+" if member.sign > 0 else "-"
    return f"{sign} {member.meter}" + (f" ({' '.join(span)})" if span else "")
