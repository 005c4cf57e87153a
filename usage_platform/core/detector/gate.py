"""The promotion gate: whether a new detector may replace the one before it.

Belongs here: comparing two detectors on the last weeks. Not here: promotion itself (`services`).

Both score the last weeks of the new one's history, as they were and with injected faults. The new
one must not raise more alarms than its budget allows healthy weeks, unless the old one raises as
many: then the building has a fault or has changed for good. And it must not detect fewer faults.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.score import CONTEXT_NS, score
from usage_platform.core.generator.fault_kinds import SHORT_KINDS
from usage_platform.core.generator.faults import inject_faults
from usage_platform.core.time.units import NS_A_DAY

WEEKS = 4
_FAULTS_A_WEEK = 7.0
_SEED = 0
_SIGMAS = 2.0
_LEAST_STEP_KW = 0.01


@dataclass(frozen=True)
class Examined:
    """The comparison of a detector with the one before it, summed over meters.

    Attributes:
        weeks: Scored weeks.
        budget: Alarm days that healthy weeks may have.
        alarm_days: Days with an anomalous reading.
        alarm_days_before: The same by the detector before.
        faults: Injected faults.
        found: Detected faults.
        found_before: The same by the detector before.
    """

    weeks: int = 0
    budget: float = 0.0
    alarm_days: int = 0
    alarm_days_before: int = 0
    faults: int = 0
    found: int = 0
    found_before: int = 0

    def __add__(self, other: "Examined") -> "Examined":
        """The sum of two comparisons."""
        pairs = zip(vars(self).items(), vars(other).values(), strict=True)
        return Examined(**{name: one + two for (name, one), two in pairs})

    @property
    def is_fit(self) -> bool:
        """Whether it may replace the one before."""
        return self.keeps_budget and self.finds_as_much

    @property
    def keeps_budget(self) -> bool:
        """Whether alarm days stay within the budget, up to two standard deviations of chance."""
        return self.alarm_days <= max(_allowed(self.budget), self.alarm_days_before)

    @property
    def finds_as_much(self) -> bool:
        """Whether it detects as many faults as the one before, up to two standard deviations."""
        # Laplace's rule of succession: who detected all of a few faults may well miss one of them.
        share = (self.found_before + 1) / (self.faults + 2)
        chance = _SIGMAS * float(np.sqrt(self.faults * share * (1 - share)))
        return self.found >= self.found_before - chance


def days_allowed(false_alarms_per_week: float, weeks: int) -> float:
    """Alarm days that a budget and chance allow in this many healthy weeks."""
    return _allowed(weeks * false_alarms_per_week)


def _allowed(budget: float) -> float:
    return budget + _SIGMAS * float(np.sqrt(budget))


def examine(new: DetectorModel, old: DetectorModel, instants: Ints, values: Floats) -> Examined:
    """Compare two detectors of a meter on the last four weeks of the new one's history.

    Args:
        new: The new one; it has expected values.
        old: The one before it.
        instants: n interval starts before `new.until`, ns since 1970 UTC, ascending.
        values: n powers, kW.
    """
    start = new.until - 7 * WEEKS * NS_A_DAY
    recent = (instants >= start - CONTEXT_NS) & (instants < new.until) & np.isfinite(values)
    instants, values = instants[recent], values[recent]
    frame = pd.DataFrame({"ts": pd.DatetimeIndex(instants).tz_localize("UTC"), "value": values})
    faulty, faults = inject_faults(
        frame,
        new.meter,
        np.random.default_rng(_SEED),
        _FAULTS_A_WEEK,
        pd.Timestamp(start, tz="UTC"),
        SHORT_KINDS,
        _resolution(values),
    )
    changed = faulty["value"].to_numpy(np.float64)
    return Examined(
        weeks=WEEKS,
        budget=WEEKS * new.options.false_alarms_per_week,
        alarm_days=_alarm_days(new, instants, values, start),
        alarm_days_before=_alarm_days(old, instants, values, start),
        faults=len(faults),
        found=_found(new, instants, changed, start, faults),
        found_before=_found(old, instants, changed, start, faults),
    )


def _alarm_days(detector: DetectorModel, instants: Ints, values: Floats, start: int) -> int:
    scored = score(detector, instants, values, start)
    anomalous = scored.loc[scored["flagged"].to_numpy(np.bool_), "ts"]
    return int(anomalous.dt.tz_convert(detector.meter.timezone).dt.date.nunique())


def _found(
    detector: DetectorModel, instants: Ints, values: Floats, start: int, faults: pd.DataFrame
) -> int:
    scored = score(detector, instants, values, start)
    anomalous = scored.loc[scored["flagged"].to_numpy(np.bool_), "ts"]
    return sum(
        bool(((anomalous >= fault.start) & (anomalous < fault.end)).any())  # type: ignore[union-attr]
        for fault in faults.itertuples()
    )


def _resolution(values: Floats) -> float:
    """The smallest difference between two readings, kW; the resolution of faults."""
    steps = np.diff(np.unique(values))
    return max(float(steps.min()), _LEAST_STEP_KW) if len(steps) else _LEAST_STEP_KW
