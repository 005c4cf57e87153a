"""Refuses to compute hours with another interval or unit than those in the lake.

Belongs here: the check of some days. Not here: reading what the hours expect (`newest_hours`),
the rule (`core.readings`).
"""

from collections.abc import Collection
from datetime import date

import pandas as pd

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.newest_hours import newest_hours
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.meter_hours import expected_counts, hour_ends
from usage_platform.core.readings.validation import with_intervals
from usage_platform.core.readings.written_intervals import interval_mismatch, unit_mismatch


def check_intervals(
    lake: Lake,
    registry: MeterRegistry,
    meters: Collection[str],
    first: date,
    last: date,
) -> None:
    """Make sure that meters have the intervals with which these days of theirs were computed.

    Args:
        lake: The lake.
        registry: The meters with their present intervals.
        meters: Names of the meters.
        first: The first UTC day.
        last: The last UTC day, inclusive.

    Raises:
        LakeError: In one line, when a meter's interval or unit is another one now.
    """
    check_expected(newest_hours(LakeReader(lake), meters, first, last), registry)


def check_expected(hours: pd.DataFrame, registry: MeterRegistry) -> None:
    """Make sure that hours are what the present intervals and units of their meters make.

    Args:
        hours: From `newest_hours.newest_hours`.
        registry: The meters with their present intervals.

    Raises:
        LakeError: As for `check_intervals`.
    """
    whole = hours[~_are_short_as_expected(hours, registry)]
    found = {str(meter): {int(n) for n in of["expected_n"]} for meter, of in whole.groupby("meter")}
    units = hours["unit"].astype(object).where(hours["unit"].notna(), ReadingUnit.KW.value)
    written = {str(meter): set(map(str, of)) for meter, of in units.groupby(hours["meter"])}
    mismatch = interval_mismatch(found, registry) or unit_mismatch(written, registry)
    if mismatch:
        raise LakeError(mismatch)


def _are_short_as_expected(hours: pd.DataFrame, registry: MeterRegistry) -> pd.Series:
    """The hours that a clock's change makes short, and that expect what the intervals make."""
    starts = with_intervals(hours.rename(columns={"first_start": "start"}), registry)
    lengths = hour_ends(starts["start"], starts["meter"], registry) - starts["start"]
    as_expected = expected_counts(starts, registry) == hours["expected_n"]
    return (lengths < pd.Timedelta(hours=1)) & as_expected
