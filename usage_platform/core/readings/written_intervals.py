"""Whether the hours in the lake were computed with the intervals and units that meters have now.

Belongs here: the rules and their lines for the user. Not here: reading the hours (adapters).
"""

from collections.abc import Mapping

from usage_platform.core.meters import MeterRegistry

_MINUTES_OF_AN_HOUR = 60


def interval_mismatch(expected_n: Mapping[str, set[int]], registry: MeterRegistry) -> str:
    """Why these hours and the meters' intervals do not go together; empty where they do.

    With another interval an hour's energy is another multiple of its readings: three times as much
    where 5-minute readings are treated as 15-minute ones. Nothing in the readings would show it.

    Args:
        expected_n: By meter, the numbers of readings that its hours in the lake expect.
        registry: The meters with their present intervals.
    """
    for meter, counts in sorted(expected_n.items()):
        now = registry.get(meter).interval_minutes
        others = sorted(_MINUTES_OF_AN_HOUR // n for n in counts if n * now != _MINUTES_OF_AN_HOUR)
        if not others:
            continue
        is_known = meter in registry.known
        setting = (
            "its source or assets/meters.yaml" if is_known else f"USAGE_INTERVAL_MINUTES={now}"
        )
        return (
            f"meter {meter}: its hours in the lake were computed with an interval of {others[0]} "
            f"minutes, and {setting} says {now}: nothing is written, because its energy would be "
            f"wrong; set USAGE_INTERVAL_MINUTES={others[0]} or correct its source or "
            "assets/meters.yaml, or give a meter whose interval has really changed another name"
        )
    return ""


def unit_mismatch(units: Mapping[str, set[str]], registry: MeterRegistry) -> str:
    """Why these hours and the meters' units do not go together; empty where they do.

    The readings do not say their unit: treated as kW, those in m3/h would be energy that never was.

    Args:
        units: By meter, the units of its hours in the lake.
        registry: The meters with their present units.
    """
    for meter, found in sorted(units.items()):
        now = registry.get(meter).unit
        others = sorted(found - {now.value})
        if others:
            return (
                f"meter {meter}: its hours in the lake are in {others[0]}, and its source or "
                f"assets/meters.yaml says {now} now: nothing is written, because both would stand "
                "in one column; correct the unit or the factor there, or give the meter another "
                "name from now on"
            )
    return ""
