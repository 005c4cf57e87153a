"""Whether a new detector may take the place of the one before it.

Belongs here: comparing two on the last weeks. Not here: what follows (adapters, `defs`).

Both judge the last weeks that the new one was trained on, as they were and with faults put in. The
new one must not raise more alarms than its budget lets expect of healthy weeks, unless the old one
raises as many: then something is wrong with the building, or has changed for good. And it must not
find fewer of the faults.
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
    """What the last weeks say of a detector and of the one before it, added up over meters.

    Attributes:
        weeks: Weeks judged.
        budget: Alarm days that healthy weeks may have.
        alarm_days: Days with an odd reading.
        alarm_days_before: The same by the detector before.
        faults: Faults put in.
        found: Of these, found.
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
        """Both together."""
        pairs = zip(vars(self).items(), vars(other).values(), strict=True)
        return Examined(**{name: one + two for (name, one), two in pairs})

    @property
    def is_fit(self) -> bool:
        """Whether it may take the place of the one before."""
        return self.keeps_budget and self.finds_as_much

    @property
    def keeps_budget(self) -> bool:
        """Whether there are not more alarm days than chance allows (two standard deviations)."""
        return self.alarm_days <= max(_allowed(self.budget), self.alarm_days_before)

    @property
    def finds_as_much(self) -> bool:
        """Whether it finds as many faults as the one before, but for what chance explains."""
        share = self.found_before / self.faults if self.faults else 0.0
        chance = _SIGMAS * float(np.sqrt(self.faults * share * (1 - share)))
        return self.found >= self.found_before - chance


def days_allowed(false_alarms_per_week: float, weeks: int) -> float:
    """Alarm days that a budget and chance allow in some healthy weeks."""
    return _allowed(weeks * false_alarms_per_week)


def _allowed(budget: float) -> float:
    return budget + _SIGMAS * float(np.sqrt(budget))


def examine(new: DetectorModel, old: DetectorModel, instants: Ints, values: Floats) -> Examined:
    """Compare two detectors of a meter on the last weeks that the new one has seen.

    Args:
        new: The one to examine, not learning any more.
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
    judged = score(detector, instants, values, start)
    odd = judged.loc[judged["flagged"].to_numpy(np.bool_), "ts"]
    return int(odd.dt.tz_convert(detector.meter.timezone).dt.date.nunique())


def _found(
    detector: DetectorModel, instants: Ints, values: Floats, start: int, faults: pd.DataFrame
) -> int:
    judged = score(detector, instants, values, start)
    odd = judged.loc[judged["flagged"].to_numpy(np.bool_), "ts"]
    return sum(
        bool(((odd >= fault.start) & (odd < fault.end)).any())  # type: ignore[union-attr]
        for fault in faults.itertuples()
    )


def _resolution(values: Floats) -> float:
    """The smallest step that the meter was seen to make, kW."""
    steps = np.diff(np.unique(values))
    return max(float(steps.min()), _LEAST_STEP_KW) if len(steps) else _LEAST_STEP_KW
