"""How high the next 24 hours go, and how likely they bring a new peak of the month.

Belongs here: the distribution of a window's highest reading. Not here: the forecast (`day_ahead`),
when a warning is due (`peak_warning`).

The highest reading of a day is no reading of its own kind: it is the highest of many, each with an
error. So its distribution comes from the errors of past windows' highest readings, not from the
range of single intervals (conformal predictive distribution: V. Vovk et al., "Nonparametric
predictive distributions based on conformal prediction", Machine Learning 2019).

Two forecasts of the highest reading miss at different times: the highest of the forecast power, and
the highest reading of the last day of the type. The distribution is the mean of theirs (linear
opinion pool: M. Stone, "The opinion pool", Annals of Mathematical Statistics 1961).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.features import SAME_DAYS_WITHIN
from usage_platform.core.forecast.day_ahead import LEARNED_DAYS, WindowForecasts
from usage_platform.core.forecast.ranges import LEAST_ERRORS, conformal_range

_WHOLE_SHARE = 0.9
_LEAST_ALIKE = 8


@dataclass(frozen=True, eq=False)
class PeakAhead:
    """What the highest reading of a window may be.

    Attributes:
        highs: For each of the forecasts that are pooled, a highest reading for each of its past
            errors, kW; at least one reading each.
    """

    highs: tuple[Floats, ...]

    def probability_above(self, kw: float) -> float:
        """The probability that it is above a power, above 0 and below 1."""
        shares = [(np.count_nonzero(one > kw) + 0.5) / (len(one) + 1) for one in self.highs]
        return float(np.mean(shares))

    @property
    def kw(self) -> float:
        """Its median, kW."""
        return float(np.median(np.concatenate(self.highs)))

    @property
    def range(self) -> tuple[float, float]:
        """Between which powers it lies with a probability of `ranges.COVERED`, kW."""
        return conformal_range(np.concatenate(self.highs))


def peak_ahead(forecasts: WindowForecasts, row: int) -> PeakAhead | None:
    """The distribution of the highest reading of a window.

    Args:
        forecasts: Forecasts of the window and of those before it.
        row: The window.

    Returns:
        None with too few past windows. The errors are those of the last sixteen weeks, of working
        days for a working day and of rest days for another.
    """
    windows = forecasts.windows
    power = forecasts.power[row]
    past = np.arange(max(0, row - LEARNED_DAYS), row)
    values, before = windows.values[past], forecasts.power[past]
    whole = _is_whole(values)
    use = whole & ~np.isnan(before).any(axis=1)
    if np.count_nonzero(use) < LEAST_ERRORS or np.isnan(power).any():
        return None
    kinds = day_type(windows.weekdays[0 if 2 * windows.split >= values.shape[1] else 1])
    alike = (kinds[past] == 0) == (kinds[row] == 0)
    if not (use & alike).any():
        alike[:] = True
    of_power = values[use & alike]
    errors = np.nanmax(of_power, axis=1) - before[use & alike].max(axis=1)
    pooled = [power.max() + errors]
    last = _highest_of_last(windows.values[: row + 1], kinds[: row + 1], int(past[0]))
    changes = (np.fmax.reduce(values, axis=1) - last[:-1])[whole & alike]
    changes = changes[np.isfinite(changes)]
    if len(changes) >= _LEAST_ALIKE and np.isfinite(last[-1]):
        # A glitch of the last day says nothing of the next one.
        pooled.append(np.clip(last[-1], *conformal_range(pooled[0])) + changes)
    return PeakAhead(tuple(pooled))


def peak_probability(forecasts: WindowForecasts, row: int, peak_kw: float) -> float | None:
    """The probability that a reading of a window is above a power.

    Args:
        forecasts: Forecasts of the window and of those before it.
        row: The window.
        peak_kw: The power, such as the month's peak so far.

    Returns:
        Above 0 and below 1; None with too few past windows.
    """
    found = peak_ahead(forecasts, row)
    return None if found is None else found.probability_above(peak_kw)


def _is_whole(values: Floats) -> npt.NDArray[np.bool_]:
    """Which windows have nearly all of their readings."""
    return np.count_nonzero(~np.isnan(values), axis=1) >= _WHOLE_SHARE * values.shape[1]


def _highest_of_last(values: Floats, kinds: Ints, first: int) -> Floats:
    """The highest reading of the last whole window of its type before each window, kW.

    Returns:
        Of the windows from `first` on; NaN where the last one is more than four weeks before.
    """
    begin = max(0, first - SAME_DAYS_WITHIN)
    values, kinds = values[begin:], kinds[begin:]
    highest = np.where(_is_whole(values), np.fmax.reduce(values, axis=1), np.nan)
    found = np.full(len(values), np.nan)
    for kind in np.unique(kinds):
        own = np.flatnonzero(kinds == kind)
        known = own[np.isfinite(highest[own])]
        at = np.searchsorted(known, own) - 1
        there = at >= 0
        there[there] = own[there] - known[at[there]] <= SAME_DAYS_WITHIN
        found[own[there]] = highest[known[at[there]]]
    return found[first - begin :]
