"""An anomaly: its id, its explanation, its row of the table and its message.

Belongs here: anomalies from scored readings, the same for the streaming scorer, the backfill by
date and the checks that compare the two. Not here: which readings are flagged (`core.detector`).
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.anomalies.episodes import LastAnomaly, episode_names, severity
from usage_platform.core.detector.model_timeline import ModelTimeline, score_series
from usage_platform.core.detector.score import Kind
from usage_platform.core.feedback.labels import silenced
from usage_platform.core.measurement import few_digits
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import anomaly_message
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.time.units import instants_of

PUBLISHED, WITHDRAWN = "told", "withdrawn"
"""An anomaly's status: published, or withdrawn after a late or corrected reading."""

NUMBERS = (
    "usage",
    "expected",
    "expected_low",
    "expected_high",
    "score",
    "excess_kwh",
    "z",
    "z_short",
    "z_week",
)
"""The numeric columns that may be NaN."""

ANOMALY_COLUMNS = [
    "anomaly_id",
    "meter",
    "event_time",
    "usage",
    "expected",
    "expected_low",
    "expected_high",
    "score",
    "severity",
    "kind",
    "direction",
    "excess_kwh",
    "episode",
    "explanation",
    "z",
    "z_short",
    "z_week",
    "run",
    "model_version",
    "status",
]
_RULE_DIRECTIONS = {Kind.ZERO: "below", Kind.GROSS: "above", Kind.FLATLINE: "at"}


@dataclass(frozen=True)
class ScoringResult:
    """The result of scoring some readings.

    Attributes:
        anomalies: `ANOMALY_COLUMNS`, by meter and time.
        scored: Number of readings that have an expected range.
        learning: Number of readings with too little history: scored by rules, or not at all.
    """

    anomalies: pd.DataFrame
    scored: int
    learning: int

    def __add__(self, other: "ScoringResult") -> "ScoringResult":
        """Both results together, in this order."""
        parts = [part.anomalies for part in (self, other) if len(part.anomalies)]
        return ScoringResult(
            pd.concat(parts, ignore_index=True) if parts else no_anomalies(),
            self.scored + other.scored,
            self.learning + other.learning,
        )


def find_anomalies(
    readings: pd.DataFrame,
    timeline: ModelTimeline,
    registry: MeterRegistry,
    start: pd.Timestamp | None = None,
    last: Mapping[str, LastAnomaly] | None = None,
) -> ScoringResult:
    """Score the readings of all meters.

    Args:
        readings: meter, event_time (datetime64[ns, UTC]), value (kW), including those of the
            `LOOK_BACK` before `start`.
        timeline: The promoted models and the labels.
        registry: The known meters.
        start: The first instant to score; all readings by default.
        last: Each meter's last anomaly before `start`.
    """
    history = ReadingHistory()
    history.add(readings)
    begin = np.iinfo(np.int64).min if start is None else start.value
    result = ScoringResult(no_anomalies(), 0, 0)
    for name in sorted(readings["meter"].unique()):
        before = None if last is None else last.get(name)
        result += score_meter(registry.get(name), history.of(name), begin, timeline, before)
    return result


def score_meter(
    meter: Meter, series: Series, start: int, timeline: ModelTimeline, last: LastAnomaly | None
) -> ScoringResult:
    """Score one meter's readings from an instant on.

    Args:
        meter: The meter.
        series: Its readings, including those of the `LOOK_BACK` before `start`.
        start: The first instant to score, ns since 1970 UTC.
        timeline: The promoted models and the labels.
        last: The meter's last anomaly before `start`.
    """
    scored = score_series(meter.name, series, start, timeline)
    return scoring_result(meter, scored, len(series.since(start).instants), timeline.labels, last)


def scoring_result(
    meter: Meter,
    scored: pd.DataFrame,
    readings: int,
    labels: pd.DataFrame,
    last: LastAnomaly | None,
) -> ScoringResult:
    """The anomalies among scored readings, without those that people labelled as planned.

    Args:
        meter: The meter.
        scored: From `core.detector.model_timeline`: one row a scored reading.
        readings: Number of readings that were to be scored.
        labels: `core.feedback.labels.LABEL_COLUMNS`.
        last: The meter's last anomaly before them.
    """
    known = int((~scored["learning"].astype(np.bool_)).sum())
    flagged = scored[scored["flagged"].astype(np.bool_)]
    flagged = flagged[~silenced(meter.name, instants_of(flagged.loc[:, "ts"]), labels)]
    rows = _rows(flagged, meter, last) if len(flagged) else no_anomalies()
    return ScoringResult(rows, known, readings - known)


def _rows(flagged: pd.DataFrame, meter: Meter, last: LastAnomaly | None) -> pd.DataFrame:
    above = flagged["value"] - flagged["expected"]
    rows = pd.DataFrame(
        {
            "meter": meter.name,
            "event_time": flagged["ts"],
            "usage": flagged["value"],
            "expected": flagged["expected"],
            "expected_low": flagged["low"],
            "expected_high": flagged["high"],
            "score": flagged["score"],
            "severity": severity(flagged["score"].to_numpy(np.float64)),
            "kind": [str(kind) for kind in flagged["kind"]],
            "direction": _directions(flagged),
            "excess_kwh": above * energy_hours(meter),
            "episode": episode_names(instants_of(flagged.loc[:, "ts"]), last),
            "z": flagged["z"],
            "z_short": flagged["z_short"],
            "z_week": flagged["z_week"],
            "run": flagged["run"].astype(np.int64),
            "model_version": flagged["model_version"],
            "status": PUBLISHED,
        }
    )
    rows["anomaly_id"] = [
        anomaly_id(meter.name, ts, version)
        for ts, version in zip(rows["event_time"], rows["model_version"], strict=True)
    ]
    rows["explanation"] = [explanation(row, meter) for row in records(rows)]
    return rows.loc[:, ANOMALY_COLUMNS].reset_index(drop=True)


def _directions(flagged: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Whether each reading is above or below its expected value, or a flatline at it."""
    above = np.where(flagged["value"] > flagged["expected"], "above", "below").astype(object)
    for kind, direction in _RULE_DIRECTIONS.items():
        above[(flagged["kind"] == kind).to_numpy()] = direction
    return above


def anomaly_id(meter: str, event_time: pd.Timestamp, version: str) -> str:
    """The id of an anomaly, a function of meter, time and model version; 16 hex digits."""
    text = f"{meter}|{event_time.value}|{version}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def explanation(row: Mapping[str, Any], meter: Meter) -> str:
    """Why a reading is anomalous, in a sentence for people."""
    usage, kind = row["usage"], row["kind"]
    if kind == Kind.FLATLINE:
        hours = row["run"] * meter.interval_minutes / 60
        return f"the meter has read {power(usage, meter)} for {hours:.1f} h without a change"
    if math.isnan(row["expected"]):
        return f"{power(usage, meter)}, while nothing is known yet of what to expect"
    name, unit = kind.replace("_", " "), meter.unit
    if not meter.is_power:
        # Of water, tenths are large.
        low, high = (few_digits(row[end]) for end in ("expected_low", "expected_high"))
        more = (usage - row["expected"]) * meter.interval_minutes / 60
        what = f"{power(usage, meter)} where {low} to {high} {unit}"
        return f"{name}: {what} are expected, {few_digits(more, '+')} {unit.amount}"
    what = f"{usage:.1f} kW where {row['expected_low']:.0f} to {row['expected_high']:.0f} kW"
    return f"{name}: {what} are expected, {row['excess_kwh']:+.1f} kWh"


def power(value: float, meter: Meter) -> str:
    """A reading with its unit, for people."""
    return f"{value:.1f} kW" if meter.is_power else f"{few_digits(value)} {meter.unit}"


def energy_hours(meter: Meter) -> float:
    """What a power is multiplied by for the energy of an interval in kWh; NaN for other units."""
    return meter.interval_minutes / 60 if meter.is_power else math.nan


def anomaly_messages(anomalies: pd.DataFrame, registry: MeterRegistry) -> list[bytes]:
    """The messages of the topic `anomaly` for these rows (`ANOMALY_COLUMNS`), in their order."""
    messages: list[bytes] = []
    for row in records(anomalies):
        ts = row.pop("event_time").tz_convert(registry.get(row["meter"]).zone)
        known = {k: None if v != v else v for k, v in row.items()}
        unit = unit_field(registry.get(row["meter"]))
        messages.append(anomaly_message({"ts": ts.to_pydatetime(), **known, **unit}))
    return messages


def unit_field(meter: Meter) -> dict[str, str]:
    """What a message says of the unit of its numbers: nothing where it is kW."""
    return {} if meter.is_power else {"unit": meter.unit.value}


def not_withdrawn(anomalies: pd.DataFrame) -> pd.DataFrame:
    """The rows of the table `anomalies` that stand; rows of a former version have no status."""
    return anomalies[anomalies["status"].fillna(PUBLISHED) != WITHDRAWN]


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries by column name."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


@cache
def no_anomalies() -> pd.DataFrame:
    """An empty frame of `ANOMALY_COLUMNS`; always the same one: do not change it."""
    types = {"event_time": "datetime64[ns, UTC]", "run": "int64"}
    types |= dict.fromkeys(NUMBERS, "float64")
    return pd.DataFrame(
        {name: pd.Series(dtype=types.get(name, "object")) for name in ANOMALY_COLUMNS}
    )
