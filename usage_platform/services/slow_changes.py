"""Which meters have drifted within the last weeks, by the table `readings`."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.detector.slow_change import HISTORY_DAYS, SlowChange, slow_changes
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.core.time.calendar import Calendar


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
    since = (span[1] - timedelta(days=HISTORY_DAYS)).date()
    history = ReadingHistory()
    history.add(reader.rows(READINGS, ["meter", "event_time", "value"], since))
    series = {name: history.of(name) for name in history.meters()}
    return {
        name: slow_changes(one.instants, one.values, registry.get(name), calendar)
        for name, one in series.items()
    }
