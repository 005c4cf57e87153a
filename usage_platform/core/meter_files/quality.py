"""The quality flags of readings: what a file says of the rows that a reading is made of.

Belongs here: combining the flags of rows. Not here: reading them (`rows`), and what they mean: they
are kept as written, and change no value.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Integers, Ints
from usage_platform.core.meter_files.conversion import Spans
from usage_platform.core.meter_files.series import local_shift
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_MINUTE

Texts = npt.NDArray[np.object_]


def quality_of_readings(
    readings: Spans,
    spans: Spans,
    of_rows: Texts | None,
    meter: Meter,
    register_rows: Ints | None,
) -> Texts | None:
    """The flags of each reading; distinct ones of several rows are joined by a blank.

    Args:
        readings: Spans of an interval.
        spans: The spans that they were made of.
        of_rows: For each row its flag, empty without one; None where no file has any.
        meter: Gives the interval, and the time zone on whose clock intervals lie.
        register_rows: The instants of all rows where a span lies between two rows, of which both
            count; else None.

    Returns:
        None if no row has a flag.
    """
    if of_rows is None or not (of_rows != "").any():
        return None
    interval = meter.interval_minutes * NS_A_MINUTE
    into = (spans.starts + local_shift(spans.starts, meter.timezone)) % interval
    first = spans.starts - into
    over = into + spans.lengths > interval
    ends = [spans.rows]
    if register_rows is not None:
        ends.append(_last_rows(spans, register_rows))
    parts = [
        pd.DataFrame({"meter": spans.meters[at], "start": start[at], "flag": of_rows[rows[at]]})
        for rows in ends
        for at, start in ((slice(None), first), (over, first + interval))
    ]
    flags = pd.concat(parts, ignore_index=True)
    flags = flags[flags["flag"] != ""].drop_duplicates()
    # Few readings have several flags; only those are joined one by one.
    several = flags.duplicated(["meter", "start"], keep=False)
    joined = flags[several].groupby(["meter", "start"], sort=False)["flag"].agg(" ".join)
    single = flags[~several].set_index(["meter", "start"])["flag"]
    wanted = pd.MultiIndex.from_arrays([readings.meters, readings.starts])
    found = pd.concat([single, joined]).reindex(wanted).fillna("")
    return found.to_numpy(dtype=object)


def _last_rows(spans: Spans, instants: Ints) -> Integers:
    """The row at which each span ends; rows that were left out may lie before it."""
    last = spans.rows + 1
    while (lies_before := instants[last] < spans.starts + spans.lengths).any():
        last = last + lies_before
    return last
