"""Spans of power become readings on the grid of their meter; what does not fit is reported.

Belongs here: the checks of single spans, and averaging finer ones. Not here: where the spans come
from (`conversion`).
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Ints
from usage_platform.core.limits import MOST_KW
from usage_platform.core.measurement import ReadingUnit, Sign
from usage_platform.core.meter_files.bad_rows import report_rows
from usage_platform.core.meter_files.conversion import Spans, averaged, joined_spans
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.meaning import EARLY_ENDS
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.portions import portions
from usage_platform.core.meter_files.series import NO_END, MeterRows, local_shift
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import BadRow
from usage_platform.core.time.units import NS_A_MINUTE

_POWER = "expected a power in kW or a flow in m3/h, 0 or more"
_UNITS = " or ".join(ReadingUnit)

_Check = tuple[str, npt.NDArray[np.bool_], Callable[[int], str] | None, str]


def on_the_grid(
    spans: Spans,
    rows: MeterRows,
    meter: Meter,
    layouts: Sequence[Layout],
    options: FileOptions,
    bad: list[BadRow],
    notes: list[str],
) -> Spans:
    """Spans of one interval on the meter's grid; what does not fit is reported."""
    interval = meter.interval_minutes * NS_A_MINUTE
    failed = np.zeros(len(spans.kw), dtype=np.bool_)
    for part in portions(len(failed)):
        failed[part] = _failing(spans.taken(part), rows, meter, layouts, options, bad)
    good = spans.taken(~failed) if failed.any() else spans
    if not (good.lengths < interval).any():
        return good
    thin: list[int] = []

    def parts() -> Iterator[Spans]:
        for place in _whole_intervals(good, meter):
            part = good.taken(place)
            found, count = averaged(part, local_shift(part.starts, meter.timezone), interval)
            thin.append(count)
            yield found

    means = joined_spans(parts())
    notes.append(
        f"{len(good.kw):,} rows finer than the interval averaged to {len(means.kw):,} readings of "
        f"{meter.interval_minutes} minutes"
        + (f"; {sum(thin):,} intervals are covered too little" if any(thin) else "")
    )
    return means


def _whole_intervals(spans: Spans, meter: Meter) -> Iterator[slice]:
    """The places of finer spans, a portion at a time; those of one interval together."""
    interval = meter.interval_minutes * NS_A_MINUTE
    start = 0
    for part in portions(len(spans.kw)):
        if not part.start:
            continue
        before = slice(part.start - 1, part.stop - 1)
        starts = spans.starts[part]
        local = starts + local_shift(starts, meter.timezone)
        begins = local % interval == 0
        begins &= spans.starts[before] + spans.lengths[before] <= starts
        begins |= spans.meters[part] != spans.meters[before]
        if begins.any():
            end = part.start + int(np.argmax(begins))
            yield slice(start, end)
            start = end
    yield slice(start, len(spans.kw))


def _failing(
    spans: Spans,
    rows: MeterRows,
    meter: Meter,
    layouts: Sequence[Layout],
    options: FileOptions,
    bad: list[BadRow],
) -> npt.NDArray[np.bool_]:
    """Which spans fail a check; each is reported by the first one that it fails."""
    interval = meter.interval_minutes * NS_A_MINUTE
    local = spans.starts + local_shift(spans.starts, meter.timezone)

    def shown_time(at: int) -> str:
        stamp = rows.instant[spans.rows[at : at + 1]]
        return _shown(int((stamp + local_shift(stamp, meter.timezone))[0]))

    checks: list[_Check] = [
        (
            "time",
            (spans.lengths >= interval) & (local % interval != 0),
            shown_time,
            f"is not the start of an interval; expected a multiple of {meter.interval_minutes} "
            "minutes past the hour, or set the interval",
        ),
        (
            "value",
            spans.kw > MOST_KW,
            None,
            f"is too large; expected at most {MOST_KW:,.0f} {_UNITS}",
        ),
    ]
    if options.sign is not Sign.NET:
        reason = f"is below 0; {_POWER}, or say that it is a net meter's with --sign net"
        checks.append(("value", spans.kw < 0, None, reason))
    else:
        reason = f"is too small; expected at least -{MOST_KW:,.0f} {_UNITS}"
        checks.append(("value", spans.kw < -MOST_KW, None, reason))
    checks += _end_check(spans, rows, meter)
    failed = np.zeros(len(spans.kw), dtype=np.bool_)
    for part, fails, shown, reason in checks:
        first = np.flatnonzero(fails & ~failed)
        failed |= fails
        at = spans.rows[first]
        texts = [
            shown(int(one)) if shown else f"{rows.value[spans.rows[one]]:.15g}" for one in first
        ]
        report_rows(bad, layouts, rows.file[at], rows.number[at], part, texts, reason)
    return failed


def _shown(ns: int) -> str:
    return str(np.int64(ns).astype("datetime64[ns]"))[:19].replace("T", " ")


def _end_check(spans: Spans, rows: MeterRows, meter: Meter) -> list[_Check]:
    """Ends that can be read and are not a span after the start; none where no row has an end.

    An end may be the wall clock at the end or, as some exporters write it across a clock change,
    the start's wall clock plus the span; or the last minute or second of the span.
    """
    if rows.end is None or rows.end_local is None:
        return []
    end, wall = rows.end[spans.rows], rows.end_local[spans.rows]
    stamps = rows.instant[spans.rows]
    due = spans.starts + spans.lengths
    local = due + local_shift(due, meter.timezone)
    naive = stamps + local_shift(stamps, meter.timezone) + spans.lengths
    fits_wall = np.isin(wall, (NO_END,)) | _any_of(wall, [local, naive], EARLY_ENDS)
    fits = (end == NO_END) | _any_of(end, [due], EARLY_ENDS)
    minutes = spans.lengths // NS_A_MINUTE
    shown_minutes = int(np.median(minutes)) if len(minutes) else meter.interval_minutes

    def shown(at: int) -> str:
        is_wall = wall[at] != NO_END
        return _shown(int(wall[at] if is_wall else end[at])) + ("" if is_wall else "Z")

    reason = f"is not {shown_minutes} minutes after the start; correct it, or set the interval"
    return [("end", ~(fits & fits_wall), shown, reason)]


def _any_of(times: Ints, due: Sequence[Ints], early: Sequence[int]) -> npt.NDArray[np.bool_]:
    found = np.zeros(len(times), dtype=np.bool_)
    for one in due:
        for less in early:
            found |= times == one - less
    return found
