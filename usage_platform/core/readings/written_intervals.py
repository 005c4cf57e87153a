"""Whether the hours in the lake were computed with the intervals that the settings give now.

Belongs here: the rule and its line for the user. Not here: reading the hours (adapters).
"""

from collections.abc import Mapping

from usage_platform.core.meters import MeterRegistry

_MINUTES_OF_AN_HOUR = 60


def interval_mismatch(expected_n: Mapping[str, set[int]], registry: MeterRegistry) -> str:
    """Why these hours and the meters' intervals do not go together; empty where they do.

    With another interval an hour's energy is another multiple of its readings: three times as much
    where 5-minute readings are taken for 15-minute ones. Nothing in the readings would show it.

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
