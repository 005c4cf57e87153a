"""All findings of one meter at one moment.

Belongs here: which findings are looked for. Not here: the comparisons, reading the lake.
"""

from usage_platform.core.arrays import Floats
from usage_platform.core.findings.base_load import base_load_findings
from usage_platform.core.findings.dead_meters import dead_meter_findings
from usage_platform.core.findings.finding import Finding
from usage_platform.core.findings.observed import observe
from usage_platform.core.findings.operation import operation_findings
from usage_platform.core.findings.peaks import peak_findings
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.needed_hours import Schedule


def find(
    series: Series,
    meter: Meter,
    calendar: Calendar,
    as_of: int,
    *,
    schedule: Schedule | None = None,
    prices: Floats | None = None,
) -> list[Finding]:
    """The findings of the local quarter that the last whole day before a moment belongs to.

    Args:
        series: The meter's readings; those of eighteen months before `as_of`, and all that are to
            count for the highest peak. Those of the day of `as_of` and later ones change nothing.
        meter: The meter.
        calendar: Its rest days.
        as_of: The moment, ns since 1970 UTC.
        schedule: When the building is needed; without it, what was usual counts as needed.
        prices: Shape (24,): price of a kWh by hour of the local day; without it, findings have no
            cost.

    Returns:
        In a fixed order of kinds. What continues in the same quarter has the same id each night.

    Raises:
        ValueError: If there are not 24 prices.
    """
    seen = observe(series, meter, calendar, prices, as_of)
    if seen is None:
        return []
    # The power of a net meter does not show when its building runs.
    operation = () if meter.is_net else operation_findings(seen, schedule)
    return [
        *operation,
        *base_load_findings(seen),
        *peak_findings(seen),
        *dead_meter_findings(seen),
    ]
