"""The groups of a lake, and those that have readings of their own.

Belongs here: reading the file of groups, which groups are summed now. Not here: summing them
(`services.sum_groups`), what a group is (`core.fleet`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.stores.group_meters import GroupMeters
from usage_platform.core.fleet.group_readings import last_interval
from usage_platform.core.fleet.groups import Groups
from usage_platform.core.fleet.summed_groups import SummedGroup, summed_groups
from usage_platform.services.group_position import versions_behind
from usage_platform.services.known_groups import known_groups
from usage_platform.services.meter_findings import HISTORY_DAYS
from usage_platform.services.score_silence import SilenceRule
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform

_AN_HOUR = 3600

SETTLING_SECONDS = 60.0
"""So long after a group became known as a meter its readings begin.

A scorer or a micro-batch that has begun by then may take the group for a meter of which nothing is
known, with other intervals and without readings below 0. Both look for new meters every ten seconds
and end what they have begun.
"""


@dataclass(frozen=True)
class ChosenGroups:
    """The groups that are summed.

    Attributes:
        groups: Those.
        waiting: The names of those whose readings begin soon.
        problems: What is wrong with others, a line each.
    """

    groups: tuple[SummedGroup, ...]
    waiting: tuple[str, ...]
    problems: tuple[str, ...]


def chosen_groups(deployment: Platform, now: float) -> ChosenGroups | None:
    """The groups that are summed; those that are new become known as meters.

    Args:
        deployment: The services.
        now: The current time, s since 1970.

    Returns:
        None where there is no file of groups.

    Raises:
        LakeError: In one line, when the file has a mistake or the lake cannot be read.
    """
    if not deployment.groups.text().strip():
        return None
    record = GroupMeters(deployment.assets)
    kept = record.with_times()
    before = {name: meter for name, (meter, _) in kept.items()}
    found = groups_of_hour(deployment, now)
    groups, problems = summed_groups(found, deployment.registry(), before)
    changed = [one.meter for one in groups if before.get(one.meter.name) != one.meter]
    if changed:
        record.add(changed, now)
    new = {one.name for one in changed}
    new |= {name for name, (_, at) in kept.items() if 0 <= now - at < SETTLING_SECONDS}
    return ChosenGroups(
        tuple(one for one in groups if one.meter.name not in new),
        tuple(one.meter.name for one in groups if one.meter.name in new),
        problems,
    )


def sums_behind(deployment: Platform, now: float) -> int:
    """How many versions of `readings` are not in the sums of groups yet; 0 where none is summed.

    Args:
        deployment: The services.
        now: The current time, s since 1970.

    Raises:
        KafkaException: When the broker refuses, or is silent for too long.
        LakeError: When the lake cannot be read.
    """
    groups = _groups_without_mistake(deployment, now)
    return versions_behind(deployment.kafka, deployment.reader, groups) if groups else 0


def silence_rule(deployment: Platform) -> SilenceRule:
    """When a meter counts as silent: of a group nothing is expected after its meters have ended.

    Args:
        deployment: The services.
    """
    rule = deployment.silence_rule()

    def played_to() -> Mapping[str, int]:
        ends = rule.played_to()
        groups = _groups_without_mistake(deployment, rule.clock())
        lasts = {one.meter.name: last_interval(one, ends) for one in groups}
        return {**ends, **{name: last for name, last in lasts.items() if last is not None}}

    return replace(rule, played_to=played_to)


def groups_of_hour(deployment: Platform, now: float) -> Groups:
    """The groups; which meters there are is asked once an hour, and not at each tick.

    While the file has a mistake, such as a meter that has not sent yet, it is asked each time.

    Args:
        deployment: The services.
        now: The current time, s since 1970.

    Raises:
        LakeError: As for `lake_groups`.
    """
    # Frozen settings can be hashed, which their type does not say.
    settings, text = deployment.settings, deployment.groups.text()
    return _groups_of_hour(settings, text, int(now) // _AN_HOUR)  # pyright: ignore[reportArgumentType]


@lru_cache(maxsize=2)
def _groups_of_hour(settings: Settings, text: str, hour: int) -> Groups:
    del text, hour
    return lake_groups(Platform(settings))


def lake_groups(deployment: Platform) -> Groups:
    """The groups of the lake.

    Raises:
        LakeError: In one line, when their file has a mistake or the lake cannot be read.
    """
    store = deployment.groups
    # A meter that was exchanged is known for as long as its history counts.
    return known_groups(
        store.text(), store.place, deployment.reader, deployment.registry(), HISTORY_DAYS
    )


def _groups_without_mistake(deployment: Platform, now: float) -> tuple[SummedGroup, ...]:
    """The groups that have a sum; none while their file has a mistake."""
    if not deployment.groups.text().strip():
        return ()
    try:
        found = groups_of_hour(deployment, now)
    except LakeError:
        return ()
    return summed_groups(found, deployment.registry(), GroupMeters(deployment.assets).read())[0]
