"""Values of a file become mean kW, or m3/h, over intervals.

Belongs here: units, differences of registers, and averaging over time. Not here: what the values
are (`meaning`).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Integers, Ints
from usage_platform.core.measurement import Quantity
from usage_platform.core.meter_files.growing_column import GrowingColumn
from usage_platform.core.meter_files.meaning import EARLY_ENDS, Ordered
from usage_platform.core.meter_files.portions import portions
from usage_platform.core.meter_files.register_dips import dips_of_register
from usage_platform.core.time.units import NS_A_MINUTE, NS_AN_HOUR

Flags = npt.NDArray[np.bool_]
_Number = TypeVar("_Number", np.int64, np.float64)

LEAST_COVERAGE = 0.8
"""The share of an interval that finer rows must cover, else it has no reading."""

_REGULAR = 0.5
_NEAR_FULL, _NEAR_ZERO = 0.9, 0.1
_LEAST_SIZE = 1000
_SHORTEST = 5 * NS_A_MINUTE
"""All zones are ahead of UTC by multiples of it, and so are the ends of usual intervals."""


@dataclass(frozen=True, eq=False)
class Spans:
    """Mean powers or flows over spans of time; arrays of n.

    Attributes:
        meters: int32 or int64.
        starts: int64, ns since 1970 UTC.
        lengths: int64, ns.
        kw: float64, kW or m3/h; NaN where there is none.
        rows: int32 or int64, positions of the rows they come from.
    """

    meters: Integers
    starts: Ints
    lengths: Ints
    kw: Floats
    rows: Integers

    def taken(self, at: Ints | Flags | slice) -> "Spans":
        """Some of the spans."""
        return Spans(*(getattr(self, one.name)[at] for one in fields(self)))


@dataclass(frozen=True, eq=False)
class RegisterFaults:
    """Where a register fell; positions of the rows before the fall, and of dips themselves.

    Attributes:
        dips: It shows less than before and after (`register_dips`); the rows are left out.
        roll_overs: It began at 0 again after its highest number; the difference is known.
        resets: It was reset or replaced; the energy in between is unknown.
        gaps: Too long without a row: what was used then is known, but not when.
    """

    dips: Integers
    roll_overs: Integers
    resets: Integers
    gaps: Integers


def spans_of_values(
    rows: Ordered, scales: Floats, quantity: Quantity, steps: Ints, interval: int, is_end: bool
) -> Spans:
    """Spans of power or energy values.

    A value holds for its meter's step. Where rows have no step, as on change, it holds until the
    next one, at most an interval.

    Args:
        rows: The rows.
        scales: For each row what 1 is in kW or m3/h; of an amount in kWh or m3 (`Unit.scale`).
        quantity: Power or energy.
        steps: Each meter's step in ns; 0 where there is one row.
        interval: The interval in ns.
        is_end: Whether stamps are ends of intervals.
    """
    length = of_rows(np.where(steps > 0, np.minimum(steps, NS_AN_HOUR), interval), rows.meters)
    if quantity is Quantity.POWER and not is_end:
        irregular = _irregular(rows, steps)
        if irregular.any():
            held = np.where(rows.gaps > 0, np.minimum(rows.gaps, interval), length)
            length = np.where(irregular[rows.meters], held, length)
    kw = rows.values * scales
    if quantity is Quantity.ENERGY:
        kw *= NS_AN_HOUR / length
    starts = _whole_ends(rows.instants, length) - length if is_end else rows.instants
    return Spans(rows.meters, starts, length, kw, np.arange(len(starts), dtype=np.int32))


def _whole_ends(instants: Ints, lengths: Ints) -> Ints:
    """Ends of intervals; those written as the last second or minute of one are a bit later."""
    may_be_early = lengths >= _SHORTEST
    ends = instants
    for early in EARLY_ENDS[1:]:
        ends = np.where(
            may_be_early & ((instants + early) % _SHORTEST == 0), instants + early, ends
        )
    return ends


def of_rows(by_code: npt.NDArray[_Number], codes: npt.NDArray[Any]) -> npt.NDArray[_Number]:
    """For each row the number of its code, such as its meter; read-only, as equal ones are one."""
    if len(by_code) and (by_code == by_code[0]).all():
        return np.broadcast_to(by_code[0], len(codes))
    return by_code[codes]


def spans_of_register(
    rows: Ordered,
    scales: Floats,
    steps: Ints,
    interval: int,
    size: float | None = None,
    *,
    without_dips: bool = True,
) -> tuple[Spans, RegisterFaults]:
    """Spans between the rows of a register: what it counted, over the time it took.

    A fall from above 9/10 of the register's size to below 1/10 of it is a
    roll-over; any other fall is a reset, over which nothing is known. A gap longer than a step and
    an interval gives no span.

    Args:
        rows: The rows; those without a value are left out.
        scales: For each row what 1 is in kWh or m3 (`Unit.scale`).
        steps: Each meter's step in ns.
        interval: The interval in ns.
        size: Where the register begins at 0 again, as written; None: at the smallest power of ten
            above what it showed, of 1,000 or more.
        without_dips: Whether dips are left out; needs all rows of a meter.
    """
    places = np.arange(len(rows.values), dtype=np.int32)
    if not (known := np.isfinite(rows.values)).all():
        rows, scales, places = rows.taken(known), scales[known], places[known]
    dips = places[:0]
    if without_dips and (dip := dips_of_register(rows)).any():
        dips = places[dip]
        rows, scales, places = rows.taken(~dip), scales[~dip], places[~dip]
    faults: list[RegisterFaults] = []

    def parts() -> Iterator[Spans]:
        # One row at least is looked at, so that there is a part.
        for place in portions(max(len(places) - 1, 1)):
            part = slice(place.start, place.stop + 1)
            some = Ordered(rows.meters[part], rows.instants[part], rows.values[part])
            spans, faulty = _register_part(some, scales[part], places[part], steps, interval, size)
            faults.append(faulty)
            yield spans

    spans = joined_spans(parts())
    kinds = ([getattr(one, kind.name) for one in faults] for kind in fields(RegisterFaults))
    return spans, replace(RegisterFaults(*map(np.concatenate, kinds)), dips=dips)


def _register_part(
    rows: Ordered,
    scales: Floats,
    places: Integers,
    steps: Ints,
    interval: int,
    size: float | None,
) -> tuple[Spans, RegisterFaults]:
    """The spans between some rows, of which each portion repeats the last one of that before."""
    meters, instants, values = rows.meters, rows.instants, rows.values
    same = np.flatnonzero(meters[1:] == meters[:-1])
    before, after = values[same], values[same + 1]
    gaps = instants[same + 1] - instants[same]
    counted = after - before
    full = 10.0 ** np.ceil(np.log10(np.maximum(before, 1.0) + 1e-9))
    if size is not None:
        full = np.full_like(before, size)
    rolled = (counted < 0) & (before >= _NEAR_FULL * full) & (after <= _NEAR_ZERO * full)
    rolled &= (full >= _LEAST_SIZE) | (size is not None)
    counted = np.where(rolled, counted + full, counted)
    reset = counted < 0
    longest = np.maximum(steps[meters[same]] * 3 // 2, interval)
    too_long = ~reset & (gaps > longest)
    good = ~reset & ~too_long
    at = same[good]
    kw = counted[good] * scales[at] * (NS_AN_HOUR / gaps[good])
    spans = Spans(meters[at], instants[at], gaps[good], kw, places[at])
    falls = (places[same[kind]] for kind in (rolled, reset, too_long))
    return spans, RegisterFaults(places[:0], *falls)


def joined_spans(parts: Iterable[Spans]) -> Spans:
    """The spans of all parts, of which there is one at least."""
    columns: dict[str, GrowingColumn[Any]] = {}
    for part in parts:
        for one in fields(Spans):
            values = getattr(part, one.name)
            columns.setdefault(one.name, GrowingColumn(values.dtype)).add(values)
    return Spans(*(columns[one.name].array() for one in fields(Spans)))


def averaged(spans: Spans, shift: Ints, interval: int) -> tuple[Spans, int]:
    """Means over whole intervals, weighted by time.

    Args:
        spans: None longer than an interval.
        shift: For each span local time minus UTC at its start, ns; intervals lie on the local
            clock.
        interval: The interval in ns.

    Returns:
        One span an interval that is covered by at least `LEAST_COVERAGE`, ordered by meter and
        time, with the row of its first span; and how many intervals are covered by less.
    """
    known = np.isfinite(spans.kw)
    meters, starts, shift = spans.meters[known], spans.starts[known], shift[known]
    lengths, kw, rows = spans.lengths[known], spans.kw[known], spans.rows[known]
    into = (starts + shift) % interval
    first = np.minimum(lengths, interval - into)
    rest = lengths - first
    over = np.flatnonzero(rest > 0)
    place = np.concatenate([starts - into, (starts - into)[over] + interval])
    weight = np.concatenate([first, rest[over]]).astype(np.float64)
    meter = np.concatenate([meters, meters[over]])
    power = np.concatenate([kw, kw[over]])
    row = np.concatenate([rows, rows[over]])
    if not len(place):
        return Spans(meter, place, place.copy(), power, row), 0
    order = np.lexsort((row, place, meter))
    meter, place, row = meter[order], place[order], row[order]
    weight, power = weight[order], power[order]
    new = np.append(True, (np.diff(meter) != 0) | (np.diff(place) != 0))
    at = np.flatnonzero(new)
    covered = np.add.reduceat(weight, at)
    # Relative to the first, so that equal values give that value exactly.
    base = np.repeat(power[at], np.diff(np.append(at, len(power))))
    mean = power[at] + np.add.reduceat((power - base) * weight, at) / covered
    enough = covered >= LEAST_COVERAGE * interval
    found = Spans(
        meter[at][enough],
        place[at][enough],
        np.full(int(enough.sum()), interval, dtype=np.int64),
        mean[enough],
        row[at][enough],
    )
    return found, int((~enough).sum())


def _irregular(rows: Ordered, steps: Ints) -> Flags:
    """Meters of which fewer than half of the gaps are their step."""
    found = np.zeros(len(steps), dtype=np.bool_)
    for meter, place in rows.of_each_meter():
        gaps = rows.gaps[place]
        count = np.count_nonzero(gaps)
        found[meter] = count > 1 and np.count_nonzero(gaps == steps[meter]) < _REGULAR * count
    return found
