"""The readings of three generated buildings with sub-meters, whose findings are known.

Belongs here: the site as a source. Not here: what it consists of (`core.generator.site_plan`), and
generated meters without sub-meters (`generated`).
"""

from dataclasses import dataclass

import pandas as pd

from usage_platform.core.generator.site import GeneratedMeter, generated_meters
from usage_platform.core.generator.site_plan import DAYS, site_meters
from usage_platform.core.meter_descriptions.description import Descriptions
from usage_platform.core.meter_descriptions.registry import described
from usage_platform.core.readings.source import Progress, SourceError, SourceReadings


@dataclass(frozen=True)
class GeneratedSite:
    """The generated site; the same seed gives the same bytes.

    Attributes:
        seed: 0 or more.
        descriptions: What people say of meters.
        days: Local days from its first one on.

    Raises:
        SourceError: If people say something else of one of its meters: their sum would be wrong.
    """

    seed: int
    descriptions: Descriptions
    days: int = DAYS

    def __post_init__(self) -> None:
        for meter in site_meters():
            if described(meter, self.descriptions.get(meter.name)) != meter:
                raise SourceError(
                    f"meters.yaml describes {meter.name}, which is a meter of the generated "
                    f"buildings ({meter.timezone}, {meter.interval_minutes} min): rename it there, "
                    "or choose another source or --meter"
                )

    @property
    def name(self) -> str:
        """What it reads, for people."""
        return f"generated site, seed {self.seed}"

    def load(self, progress: Progress) -> SourceReadings:
        """Generates all readings; no row is bad or repeated.

        Args:
            progress: Called with the rows done after each meter.
        """
        made: list[GeneratedMeter] = []
        for one in generated_meters(self.seed, self.days):
            made.append(one)
            progress(sum(len(done.frame) for done in made), None)
        parts = [one.frame.assign(meter=one.meter.name)[["meter", "ts", "value"]] for one in made]
        frame = pd.concat(parts).sort_values(["ts", "meter"], ignore_index=True)
        labels = pd.concat([one.faults for one in made])
        faults = labels.sort_values(["start", "meter"], ignore_index=True)
        progress(len(frame), len(frame))
        return SourceReadings(frame, tuple(one.meter for one in made), (), 0, faults)
