"""The series that a soak watches: their units, and what flat means for each.

Belongs here: one list of them. Not here: measuring (`gauges`), the arithmetic (`judgement`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from usage_platform.adapters.lake.tables import TABLES
from usage_platform_tests.tools.soak.judgement import Judgement, judge

MIB = 2.0**20
GROUPS = ("kafka", "spark", "code", "daemon", "ui", "page")


class Per(StrEnum):
    """What a series is taken by before it is judged."""

    ITSELF = ""
    READINGS = "per 1,000 readings"
    """For what must grow with the data: what it grew by since the first sample, by the readings
    that came since then. Each thousand must not cost more than those before."""


@dataclass(frozen=True)
class Series:
    """One thing that is measured.

    Attributes:
        name: As it is printed; the same in a sample's values.
        unit: Of the measured values.
        slack: A smaller rise is none, in the unit, taken by `per`.
        per: What it is taken by.
    """

    name: str
    unit: str
    slack: float
    per: Per = Per.ITSELF

    def judged(self, samples: Sequence["Sample"]) -> Judgement:
        """Whether it stayed flat."""
        return judge([sample.minute for sample in samples], self.of(samples), self.slack)

    def of(self, samples: Sequence["Sample"]) -> list[float]:
        """Its values, taken by `per`."""
        values = [sample.values[self.name] for sample in samples]
        if self.per is Per.ITSELF or not samples:
            return values
        came = [(sample.readings - samples[0].readings) / 1000 for sample in samples]
        return [
            (value - values[0]) / thousands if thousands else math.nan
            for value, thousands in zip(values, came, strict=True)
        ]


@dataclass(frozen=True)
class Sample:
    """What was measured at one minute.

    Attributes:
        minute: Since the soak began.
        readings: Rows of `readings`.
        values: By series; NaN where there was nothing to measure.
    """

    minute: float
    readings: int
    values: Mapping[str, float]


def _of_tables() -> list[Series]:
    return [
        series
        for table in TABLES
        for series in (
            Series(f"{table.name}: live files", "files", 2, Per.READINGS),
            Series(f"{table.name}: files on disk", "files", 5, Per.READINGS),
            Series(f"{table.name}: on disk", "MiB", 0.1, Per.READINGS),
            Series(f"{table.name}: files in _delta_log", "files", 5, Per.READINGS),
        )
    ]


SERIES = (
    *_of_tables(),
    # Spark keeps the last 100 batches of a stream, which a short soak does not reach.
    Series("checkpoints", "files", 20, Per.READINGS),
    Series("kafka folder", "MiB", 0.5, Per.READINGS),
    Series("service logs", "MiB", 0.1, Per.READINGS),
    # The job upkeep removes runs of past days, which a short soak does not have; until then each
    # must not cost more than those before.
    Series("dagster storage", "MiB", 1, Per.READINGS),
    Series("dagster files", "files", 10, Per.READINGS),
    *(Series(f"memory of {group}", "MiB", 30) for group in GROUPS),
    Series("micro_batch, median", "s", 2),
    Series("micro_batch, longest", "s", 5),
    Series("anomaly_stream, median", "s", 2),
    Series("anomaly_stream, longest", "s", 5),
    Series("events not in the lake", "events", 100),
    Series("events not scored", "events", 100),
)


def empty_values() -> dict[str, float]:
    """A value for each series, none of them measured."""
    return dict.fromkeys((series.name for series in SERIES), math.nan)
