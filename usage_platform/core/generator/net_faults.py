"""The kinds of faults of a net meter: of its array, of the meter, and of the building behind it.

Belongs here: what each does to readings that cross zero. Not here: when faults come (`faults`),
faults of a meter that only consumes (`fault_kinds`), whose shares of a reading mean nothing where
readings are about 0.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.generator.fault_kinds import (
    Fault,
    Proposal,
    Series,
    hold_last,
    random_span,
)
from usage_platform.core.generator.solar import NetReadings, net_to_step
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_AN_HOUR

NET_KINDS = (
    "inverter_outage",
    "string_outage",
    "sign_flip",
    "stuck",
    "zero",
    "spike",
    "night_load",
)
"""The names of `net_proposals`."""

_BRIGHT_SHARE = 0.3
"""An outage begins where the array generates at least that share of its highest power."""

_LEAST_FLIP_SHARE = 0.15
"""A flip is one of readings that are, all of them, at least that share of the series' size."""

_HOURS_BEFORE, _HOURS_AFTER = 2, 5
"""How long before and after midnight a load of the night runs."""

_SIZE_QUANTILE = 0.95


@dataclass(frozen=True, eq=False)
class _Site:
    """What the faults of one net meter are as large as.

    Attributes:
        generated: kW, one for each reading.
        bright: kW, from which on the sun is high.
        size: kW, the size that one reading in twenty exceeds.
        rise: kW, how far the building's days rise above its nights.
    """

    generated: Floats
    bright: float
    size: float
    rise: float


def net_proposals(net: NetReadings) -> Mapping[str, Proposal]:
    """The kinds of faults of a net meter, by name.

    Args:
        net: The clean readings that faults are put into.
    """
    low, high = np.quantile(net.load, (0.1, 0.9))
    site = _Site(
        generated=net.generated,
        bright=_BRIGHT_SHARE * float(net.generated.max()),
        size=float(np.quantile(np.abs(net.frame["value"]), _SIZE_QUANTILE)),
        rise=float(high - low),
    )
    return {
        "inverter_outage": partial(_lose_generation, site, shares=(1.0, 1.0)),
        "string_outage": partial(_lose_generation, site, shares=(0.3, 0.6)),
        "sign_flip": partial(_flip, site),
        "stuck": hold_last,
        "zero": _show_nothing,
        "spike": partial(_jump, site),
        "night_load": partial(_load_the_night, site),
    }


def _lose_generation(
    site: _Site,
    series: Series,
    rng: np.random.Generator,
    window: tuple[int, int],
    *,
    shares: tuple[float, float],
) -> Fault | None:
    """Inverters, or some of the array's strings, are off for hours of a bright day."""
    start, end = random_span(series, rng, window, (120, 480))
    at = series.within(start, end)
    if at.stop == at.start or float(np.min(site.generated[at])) < site.bright:
        return None
    share = round(float(rng.uniform(*shares)), 2)
    values = series.values[at] + share * site.generated[at]
    detail = f"{100 * share:.0f} % of the array off"
    return Fault(start, end, net_to_step(values, series.step_kw), detail)


def _flip(
    site: _Site, series: Series, rng: np.random.Generator, window: tuple[int, int]
) -> Fault | None:
    """Import is shown as export and the reverse."""
    start, end = random_span(series, rng, window, (60, 720))
    values = series.values[series.within(start, end)]
    if len(values) == 0 or float(np.min(np.abs(values))) < _LEAST_FLIP_SHARE * site.size:
        return None
    return Fault(start, end, net_to_step(-values, series.step_kw), "sign reversed")


def _show_nothing(
    series: Series, rng: np.random.Generator, window: tuple[int, int]
) -> Fault | None:
    """The meter shows 0."""
    start, end = random_span(series, rng, window, (30, 120))
    at = series.within(start, end)
    return Fault(start, end, np.zeros(at.stop - at.start), "0 kW")


def _jump(site: _Site, series: Series, rng: np.random.Generator, window: tuple[int, int]) -> Fault:
    """Power goes up or down by a share of the meter's usual size, for some minutes."""
    start, end = random_span(series, rng, window, (5, 30))
    added = float(rng.choice((-1, 1)) * rng.uniform(0.5, 1.2)) * site.size
    values = series.values[series.within(start, end)] + added
    return Fault(start, end, net_to_step(values, series.step_kw), f"{added:+,.0f} kW")


def _load_the_night(
    site: _Site, series: Series, rng: np.random.Generator, window: tuple[int, int]
) -> Fault | None:
    """Part of the building's day runs all night."""
    zone = series.meter.zone
    first, last = (datetime.fromtimestamp(w // 10**9, zone).toordinal() for w in window)
    day = date.fromordinal(int(rng.integers(first, last + 1)) + 1)
    midnight = local_day_bounds(day, zone.key)[0].value
    start, end = midnight - _HOURS_BEFORE * NS_AN_HOUR, midnight + _HOURS_AFTER * NS_AN_HOUR
    if not window[0] <= start < window[1]:
        return None
    added = float(rng.uniform(0.25, 0.5)) * site.rise
    values = series.values[series.within(start, end)] + added
    return Fault(start, end, net_to_step(values, series.step_kw), f"{added:+,.0f} kW")
