"""Which meters have drifted within the last weeks, by the table `readings`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.detector.slow_change import HISTORY_DAYS, SlowChange, slow_changes
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.core.time.calendar import Calendar

METERS_AT_ONCE = 50
"""Whose readings of these weeks are in memory at once."""


def slow_changes_by_meter(
    reader: LakeReader, registry: MeterRegistry, calendar: Calendar
) -> Mapping[str, Sequence[SlowChange]] | None:
    """Compare the last weeks of each meter with the time before them.

    Args:
        reader: The lake's tables.
        registry: The known meters.
        calendar: Days on which the buildings are closed.

    Returns:
        What was compared, by meter; None before there are readings.
    """
    span = reader.span(READINGS, "event_time")
    if span is None:
        return None
    first, last = (span[1] - timedelta(days=HISTORY_DAYS)).date(), span[1].date()
    names = reader.meters(READINGS, first, last)
    found: dict[str, Sequence[SlowChange]] = {}
    for some in (names[at : at + METERS_AT_ONCE] for at in range(0, len(names), METERS_AT_ONCE)):
        history = ReadingHistory()
        history.add(reader.rows(READINGS, ["meter", "event_time", "value"], first, last, some))
        for name in some:
            one = history.of(name)
            found[name] = slow_changes(one.instants, one.values, registry.get(name), calendar)
    return found
