"""The mean power of each interval from the samples of meters.

Belongs here: samples become spans of power, cut at the ends of intervals. Not here: differences of
registers and means over time, whose rules files and samples share (`meter_files.conversion`), which
samples count (`window`).

- A power holds until the next sample, at most for the meter's longest gap.
- Energy is spread evenly over the time since the sample before, unless that is longer.
- A register's difference is spread the same way; it may roll over, or be reset.

An interval has a reading where at least `meter_files.conversion.LEAST_COVERAGE` of it is covered.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.measurement import Quantity
from usage_platform.core.meter_files.conversion import Spans, averaged, spans_of_register
from usage_platform.core.meter_files.meaning import Ordered
from usage_platform.core.meter_files.register_dips import unknown_after_falls
from usage_platform.core.meter_files.series import local_shift
from usage_platform.core.samples.window import SampleWindow
from usage_platform.core.time.units import NS_AN_HOUR


class Due(NamedTuple):
    """A meter with intervals whose readings are due.

    Attributes:
        window: Its samples.
        start: The start of the first such interval, ns.
        end: The end of the last one, ns.
    """

    window: SampleWindow
    start: int
    end: int


class _Kind(NamedTuple):
    """What meters have in common whose means are computed together; times in ns."""

    quantity: Quantity
    interval: int
    longest_gap: int
    register_size: float | None


class IntervalMeans(NamedTuple):
    """Readings; arrays of n, by meter and time.

    Attributes:
        positions: Whose they are: positions in the meters that were given.
        starts: Starts of intervals, ns since 1970 UTC.
        kw: Mean powers, or mean flows in m3/h.
    """

    positions: Ints
    starts: Ints
    kw: Floats


def interval_means(due: Sequence[Due]) -> IntervalMeans:
    """The readings of the due intervals that are covered enough."""
    groups: dict[_Kind, list[int]] = {}
    for position, one in enumerate(due):
        groups.setdefault(_kind(one.window), []).append(position)
    parts = [
        _means(kind, np.array(positions, np.int64), [due[at] for at in positions])
        for kind, positions in groups.items()
    ]
    if not parts:
        none = np.array([], dtype=np.int64)
        return IntervalMeans(none, none, none.astype(np.float64))
    return IntervalMeans(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def _kind(window: SampleWindow) -> _Kind:
    description = window.description
    return _Kind(
        description.quantity,
        window.interval,
        description.longest_gap,
        description.register_size,
    )


def _means(kind: _Kind, positions: Ints, due: Sequence[Due]) -> tuple[Ints, Ints, Floats]:
    """The readings of meters of one kind."""
    starts, ends = (np.array([one[at] for one in due], np.int64) for at in (1, 2))
    windows = [one.window for one in due]
    spans = _cut(_spans(kind, due, ends), windows, kind.interval)
    means, _ = averaged(spans, _shifts(spans, windows), kind.interval)
    inside = (means.starts >= starts[means.meters]) & (means.starts < ends[means.meters])
    return positions[means.meters[inside]], means.starts[inside], means.kw[inside]


def _spans(kind: _Kind, due: Sequence[Due], ends: Ints) -> Spans:
    """Spans of power between the samples, as long as they are."""
    parts = [(one.window, one.window.since(one.start)) for one in due]
    times = [np.array(window.times[part], np.int64) for window, part in parts]
    values = [np.array(window.values[part], np.float64) for window, part in parts]
    meters = np.repeat(np.arange(len(due)), [len(one) for one in times])
    instants = np.concatenate(times)
    rows = Ordered(meters, instants, np.concatenate(values))
    scales = np.array([window.description.scale for window, _ in parts])[meters]
    if kind.quantity is Quantity.REGISTER:
        return _register_spans(kind, rows, scales, len(due))
    gaps = rows.gaps
    if kind.quantity is Quantity.POWER:
        # The newest sample holds in what is closed by now.
        held = np.where(gaps > 0, gaps, np.maximum(ends[meters] - instants, 0))
        lengths = np.minimum(held, kind.longest_gap)
        return _some(meters, instants, lengths, rows.values * scales, lengths > 0)
    before = np.flatnonzero((gaps > 0) & (gaps <= kind.longest_gap))
    lengths = gaps[before]
    kw = rows.values[before + 1] * scales[before] * (NS_AN_HOUR / lengths)
    return _some(meters[before], instants[before], lengths, kw, lengths > 0)


def _register_spans(kind: _Kind, rows: Ordered, scales: Floats, meters: int) -> Spans:
    no_steps = np.zeros(meters, dtype=np.int64)
    spans, _ = spans_of_register(
        rows, scales, no_steps, kind.longest_gap, kind.register_size, without_dips=False
    )
    return spans.taken(~unknown_after_falls(rows)[spans.rows + 1])


def _some(meters: Ints, starts: Ints, lengths: Ints, kw: Floats, which: np.ndarray) -> Spans:
    at = np.flatnonzero(which)
    return Spans(meters[at], starts[at], lengths[at], kw[at], at)


def _cut(spans: Spans, windows: Sequence[SampleWindow], interval: int) -> Spans:
    """The same spans, none of which reaches over the end of an interval."""
    into = (spans.starts + _shifts(spans, windows)) % interval
    counts = -((into + spans.lengths) // -interval)
    at = np.repeat(np.arange(len(counts)), counts)
    number = np.arange(len(at)) - np.repeat(np.cumsum(counts) - counts, counts)
    first, last = spans.starts[at], (spans.starts + spans.lengths)[at]
    grid = (spans.starts - into)[at] + number * interval
    starts, ends = np.maximum(grid, first), np.minimum(grid + interval, last)
    return Spans(spans.meters[at], starts, ends - starts, spans.kw[at], np.arange(len(at)))


def _shifts(spans: Spans, windows: Sequence[SampleWindow]) -> Ints:
    """Local time minus UTC at the start of each span, ns."""
    zones = [window.meter.timezone for window in windows]
    names = sorted(set(zones))
    zone_of = np.array([names.index(zone) for zone in zones], dtype=np.int64)[spans.meters]
    shifts = np.zeros(len(spans.starts), dtype=np.int64)
    for number, name in enumerate(names):
        at = np.flatnonzero(zone_of == number)
        shifts[at] = local_shift(spans.starts[at], name)
    return shifts
