"""What became of the findings that are planted in the generated site.

Belongs here: comparing findings with the truth, and telling consequences of what is planted from
false findings. Not here: planting (`core.generator`), printing.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from usage_platform.core.findings.find import find
from usage_platform.core.findings.finding import FindingKind
from usage_platform.core.generator.site import GeneratedMeter
from usage_platform.core.generator.site_truth import PlantedFinding
from usage_platform.core.readings.series import Series
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import instants_of


@dataclass(frozen=True)
class PlantedVerdict:
    """What became of one planted finding.

    Attributes:
        planted: The truth.
        is_found: Whether there is a finding of its kind, meter and time.
        kwh: The energy of that finding; None where it is missed.
        kwh_per_year: The same in a year; None for what happens once, and where it is missed.
    """

    planted: PlantedFinding
    is_found: bool
    kwh: float | None = None
    kwh_per_year: float | None = None


@dataclass(frozen=True)
class PlantedVerdicts:
    """What became of all of them.

    Attributes:
        verdicts: One for each, in their order.
        consequences: Further findings that the site without faults does not have.
        false: Further findings that it has too, and sub-meters that do add up.
    """

    verdicts: list[PlantedVerdict]
    consequences: int
    false: int

    @property
    def found(self) -> int:
        """How many were found."""
        return sum(one.is_found for one in self.verdicts)


def healthy_findings(meters: Iterable[GeneratedMeter], calendar: Calendar, as_of: int) -> set[str]:
    """The ids of the findings that meters without a fault have.

    Args:
        meters: The meters; one is looked at after the other.
        calendar: Their rest days.
        as_of: The moment, ns since 1970 UTC.
    """
    return {
        finding.id
        for one in meters
        for finding in find(
            Series(instants_of(one.frame.loc[:, "ts"]), one.frame["value"].to_numpy(np.float64)),
            one.meter,
            calendar,
            as_of,
        )
    }


def evaluate_planted(
    planted: Iterable[PlantedFinding], findings: pd.DataFrame, healthy: set[str]
) -> PlantedVerdicts:
    """Compare findings with what is planted.

    Args:
        planted: The truth.
        findings: id, meter, kind, start and end (UTC, exclusive), kwh, kwh_per_year; a row a
            finding.
        healthy: The ids of what the same meters have without any fault.
    """
    rows: list[dict[str, Any]] = [
        {str(name): value for name, value in row.items()} for row in findings.to_dict("records")
    ]
    verdicts: list[PlantedVerdict] = []
    for truth in planted:
        row = next((one for one in rows if _is_of(one, truth)), None)
        if row is None:
            verdicts.append(PlantedVerdict(truth, is_found=False))
            continue
        rows.remove(row)
        a_year = row["kwh_per_year"]
        per_year = None if pd.isna(a_year) else float(a_year)
        verdicts.append(PlantedVerdict(truth, True, float(row["kwh"]), per_year))
    false = sum(row["id"] in healthy or row["kind"] == FindingKind.SUB_METERS for row in rows)
    return PlantedVerdicts(verdicts, len(rows) - false, false)


def _is_of(row: dict[str, Any], truth: PlantedFinding) -> bool:
    is_same = (row["meter"], row["kind"]) == (truth.meter, truth.kind)
    return is_same and row["start"] < truth.end and truth.start < row["end"]
