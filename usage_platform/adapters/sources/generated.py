"""Readings made up for one or more buildings, with faults whose times are known.

Belongs here: which building stands behind each meter, and how one seed becomes all randomness. Not
here: what a healthy building draws (`core.generator.building`) and what goes wrong
(`core.generator.faults`).
"""

import math
import zlib
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pandas as pd

from usage_platform.core.generator.building import STEP_KW, BuildingProfile, building_load
from usage_platform.core.generator.fault_kinds import ALL_KINDS, LONGEST_FAULT_DAYS
from usage_platform.core.generator.faults import inject_faults
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import Progress, SourceError, SourceReadings
from usage_platform.core.time.local_time import local_day_bounds

_LEAST_FAULTS_PER_WEEK = 0.02


@dataclass(frozen=True)
class GeneratedSource:
    """Generated readings; the same arguments give the same bytes.

    The first meter is the library as calibrated; each further one is a smaller building with
    other hours. A meter's readings and faults depend on the seed, the start, the meter itself and
    whether it is the first, on nothing else: not on the other meters, and a longer span begins
    with exactly the readings of a shorter one. (A fault that runs on past the last day is cut
    there, in the readings and on its label.)

    Attributes:
        meters: The meters, each with a name of its own.
        start: First local day.
        days: Whole local days.
        seed: 0 or more.
        faults_per_week: About how many faults each meter gets a week; 0 for none.
        faults_from_day: How many days come first without a fault.
        kinds: Which kinds of faults, of `core.generator.fault_kinds.ALL_KINDS`.

    Raises:
        SourceError: If one of them cannot be used.
    """

    meters: tuple[Meter, ...]
    start: date
    days: int
    seed: int
    faults_per_week: float = 1.2
    faults_from_day: int = 0
    kinds: tuple[str, ...] = ALL_KINDS

    def __post_init__(self) -> None:
        names = [meter.name for meter in self.meters]
        rate = self.faults_per_week
        checks = (
            ("meters", names, "one or more, each name once", 0 < len(names) == len(set(names))),
            ("days", self.days, "1 or more", self.days >= 1),
            ("seed", self.seed, "0 or more", self.seed >= 0),
            (
                "faults per week",
                rate,
                f"0, or {_LEAST_FAULTS_PER_WEEK} (one a year) or more",
                rate == 0 or _LEAST_FAULTS_PER_WEEK <= rate < math.inf,
            ),
            ("faults from day", self.faults_from_day, "0 or more", self.faults_from_day >= 0),
            ("kinds", self.kinds, f"some of {', '.join(ALL_KINDS)}", {*self.kinds} <= {*ALL_KINDS}),
        )
        for name, given, expected, good in checks:
            if not good:
                raise SourceError(f"generated readings: {name}: expected {expected}, got {given}")

    @property
    def name(self) -> str:
        """What it reads, for people."""
        return f"generated, seed {self.seed}"

    def load(self, progress: Progress) -> SourceReadings:
        """Generates all readings; no row is bad or repeated.

        Args:
            progress: Called with the rows done after each meter.
        """
        frames: list[pd.DataFrame] = []
        labels: list[pd.DataFrame] = []
        for position, meter in enumerate(self.meters):
            frame, faults = self._of_meter(meter, is_first=position == 0)
            frame.insert(0, "meter", pd.Series(meter.name, index=frame.index, dtype=object))
            frames.append(frame)
            labels.append(faults)
            progress(sum(map(len, frames)), None)
        frame = pd.concat(frames).sort_values(["ts", "meter"], ignore_index=True)
        faults = pd.concat(labels).sort_values(["start", "meter"], ignore_index=True)
        progress(len(frame), len(frame))
        return SourceReadings(frame, self.meters, (), 0, faults)

    def _of_meter(self, meter: Meter, *, is_first: bool) -> tuple[pd.DataFrame, pd.DataFrame]:
        # By name, so that a meter keeps its readings when others come before or after it.
        seeds = np.random.SeedSequence([self.seed, zlib.crc32(meter.name.encode())]).spawn(3)
        load_rng, fault_rng, profile_rng = map(np.random.default_rng, seeds)
        profile = BuildingProfile() if is_first else _other_building(profile_rng)
        clean = building_load(meter, self.start, self.days + self._days_beyond(), profile, load_rng)
        faulty, faults = inject_faults(
            clean,
            meter,
            fault_rng,
            self.faults_per_week,
            self._day_start(meter, self.faults_from_day),
            self.kinds,
            profile.step_kw,
        )
        end = self._day_start(meter, self.days)
        changed = faulty.loc[(faulty["value"] != clean["value"]) & (faulty["ts"] < end), "ts"]
        faults["end"] = faults["end"].where(faults["end"] < end, end)
        # What is left of a fault that was cut may hold no changed reading; such a label would lie.
        real = np.searchsorted(changed, faults["start"]) < np.searchsorted(changed, faults["end"])
        return faulty.loc[faulty["ts"] < end], faults.loc[real]

    def _days_beyond(self) -> int:
        """Days to generate past the end, so that faults near it do not depend on the end."""
        if self.faults_per_week == 0:
            return 0
        return math.ceil(7 / self.faults_per_week) + LONGEST_FAULT_DAYS + 2

    def _day_start(self, meter: Meter, day: int) -> pd.Timestamp:
        return local_day_bounds(self.start + timedelta(days=day), meter.timezone)[0]


def _other_building(rng: np.random.Generator) -> BuildingProfile:
    """A building of a fifth to nine tenths of the library, up to an hour earlier or later."""
    factor = math.exp(rng.uniform(math.log(0.2), math.log(0.9)))
    later_minutes = 15 * int(rng.integers(-4, 4))
    # A smaller building has a finer meter, or its noise would vanish in the steps.
    step_kw = round(STEP_KW * 2.0 ** round(math.log2(factor)), 1)
    return BuildingProfile().scaled(factor, later_minutes, step_kw)
