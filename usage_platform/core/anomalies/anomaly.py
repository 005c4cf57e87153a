"""What an anomaly is: its id, its explanation, its row and its message.

Belongs here: naming what a model finds odd. Used alike by the streaming sensor, the backfill by
date and whatever compares the two. Not here: what is odd (`judging`).
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.anomalies.episodes import LastOdd, episode_names, opened_at, severity
from usage_platform.core.detector.model_timeline import ModelTimeline, score_series
from usage_platform.core.detector.score import Kind
from usage_platform.core.feedback.labels import silenced
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import anomaly_message, read_anomalies
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.time.units import instants_of

TOLD, WITHDRAWN = "told", "withdrawn"
"""An anomaly's status: it stands, or a late or corrected reading has made it none."""

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
"""The columns of numbers that may be unknown."""

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
_RULE_DIRECTIONS = {Kind.ZERO: "below", Kind.GROSS: "above", Kind.STUCK: "at"}


@dataclass(frozen=True)
class Scored:
    """What scoring found.

    Attributes:
        anomalies: `ANOMALY_COLUMNS`, by meter and time.
        scored: Readings that a model judged by what it expects.
        learning: Readings for which there is too little history: judged by rules, or not at all.
    """

    anomalies: pd.DataFrame
    scored: int
    learning: int

    def __add__(self, other: "Scored") -> "Scored":
        """Both together, in their order."""
        parts = [part.anomalies for part in (self, other) if len(part.anomalies)]
        return Scored(
            pd.concat(parts, ignore_index=True) if parts else no_anomalies(),
            self.scored + other.scored,
            self.learning + other.learning,
        )


def find_anomalies(
    readings: pd.DataFrame,
    judges: ModelTimeline,
    registry: MeterRegistry,
    start: pd.Timestamp | None = None,
    last: Mapping[str, LastOdd] | None = None,
) -> Scored:
    """Score the readings of all meters.

    Args:
        readings: meter, event_time (datetime64[ns, UTC]), value (kW); those of the `LOOK_BACK`
            before `start` among them.
        judges: What they are judged by.
        registry: The known meters.
        start: The first instant to judge; all readings by default.
        last: Each meter's last odd reading before `start`.
    """
    history = ReadingHistory()
    history.add(readings)
    begin = np.iinfo(np.int64).min if start is None else start.value
    found = Scored(no_anomalies(), 0, 0)
    for name in sorted(readings["meter"].unique()):
        before = None if last is None else last.get(name)
        found += anomalies_of(registry.get(name), history.of(name), begin, judges, before)
    return found


def anomalies_of(
    meter: Meter, series: Series, start: int, judges: ModelTimeline, last: LastOdd | None
) -> Scored:
    """Score one meter's readings from an instant on.

    Args:
        meter: The meter.
        series: Its readings, those of the `LOOK_BACK` before `start` among them.
        start: The first instant to judge, ns since 1970 UTC.
        judges: What they are judged by.
        last: The meter's last odd reading before `start`.
    """
    judged = score_series(meter.name, series, start, judges)
    return scored(meter, judged, len(series.since(start).instants), judges.labels, last)


def scored(
    meter: Meter, judged: pd.DataFrame, readings: int, labels: pd.DataFrame, last: LastOdd | None
) -> Scored:
    """What judged readings come to.

    Args:
        meter: The meter.
        judged: What `score_series` returns of them.
        readings: How many readings there were to judge.
        labels: What people said of stretches of time.
        last: The meter's last odd reading before them.
    """
    known = int((~judged["learning"].astype(np.bool_)).sum())
    odd = judged[judged["flagged"].astype(np.bool_)]
    odd = odd[~silenced(meter.name, instants_of(odd.loc[:, "ts"]), labels)]
    rows = _rows(odd, meter, last) if len(odd) else no_anomalies()
    return Scored(rows, known, readings - known)


def _rows(odd: pd.DataFrame, meter: Meter, last: LastOdd | None) -> pd.DataFrame:
    above = odd["value"] - odd["expected"]
    rows = pd.DataFrame(
        {
            "meter": meter.name,
            "event_time": odd["ts"],
            "usage": odd["value"],
            "expected": odd["expected"],
            "expected_low": odd["low"],
            "expected_high": odd["high"],
            "score": odd["score"],
            "severity": severity(odd["score"].to_numpy(np.float64)),
            "kind": [str(kind) for kind in odd["kind"]],
            "direction": _directions(odd),
            "excess_kwh": above * (meter.interval_minutes / 60),
            "episode": episode_names(instants_of(odd.loc[:, "ts"]), last),
            "z": odd["z"],
            "z_short": odd["z_short"],
            "z_week": odd["z_week"],
            "run": odd["run"].astype(np.int64),
            "model_version": odd["model_version"],
            "status": TOLD,
        }
    )
    rows["anomaly_id"] = [
        anomaly_id(meter.name, ts, version)
        for ts, version in zip(rows["event_time"], rows["model_version"], strict=True)
    ]
    rows["explanation"] = [explanation(row, meter) for row in records(rows)]
    return rows.loc[:, ANOMALY_COLUMNS].reset_index(drop=True)


def _directions(odd: pd.DataFrame) -> npt.NDArray[np.object_]:
    """Whether each reading lies above or below what was expected, or stands still at it."""
    above = np.where(odd["value"] > odd["expected"], "above", "below").astype(object)
    for kind, direction in _RULE_DIRECTIONS.items():
        above[(odd["kind"] == kind).to_numpy()] = direction
    return above


def anomaly_id(meter: str, event_time: pd.Timestamp, version: str) -> str:
    """The id of the anomaly of a meter at a time as a model version sees it; 16 hex digits."""
    text = f"{meter}|{event_time.value}|{version}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def explanation(row: Mapping[str, Any], meter: Meter) -> str:
    """Why a reading is odd, in a sentence for people."""
    usage, kind = row["usage"], row["kind"]
    if kind == Kind.STUCK:
        hours = row["run"] * meter.interval_minutes / 60
        return f"the meter has read {usage:.1f} kW for {hours:.1f} h without a change"
    if math.isnan(row["expected"]):
        return f"{usage:.1f} kW, while nothing is known yet of what to expect"
    what = f"{usage:.1f} kW where {row['expected_low']:.0f} to {row['expected_high']:.0f} kW"
    name = kind.replace("_", " ")
    return f"{name}: {what} are expected, {row['excess_kwh']:+.1f} kWh"


def anomaly_messages(anomalies: pd.DataFrame, registry: MeterRegistry) -> list[bytes]:
    """The messages of the topic `anomaly` for these rows (`ANOMALY_COLUMNS`), in their order."""
    messages = []
    for row in records(anomalies):
        ts = row.pop("event_time").tz_convert(registry.get(row["meter"]).zone)
        known = {k: None if v != v else v for k, v in row.items()}
        messages.append(anomaly_message({"ts": ts.to_pydatetime(), **known}))
    return messages


def anomalies_from_messages(values: Sequence[bytes]) -> pd.DataFrame:
    """Rows (`ANOMALY_COLUMNS`) from messages of the topic `anomaly`, in their order."""
    events = read_anomalies(values)
    if not events:
        return no_anomalies()
    rows = pd.DataFrame(events).reindex(columns=["ts", *ANOMALY_COLUMNS])
    rows["event_time"] = pd.to_datetime(rows.pop("ts"), utc=True, format="ISO8601").astype(
        "datetime64[ns, UTC]"
    )
    types = {**dict.fromkeys(NUMBERS, "float64"), "run": "int64"}
    # Messages of the platform's first version lack these.
    alone = pd.Series(opened_at(instants_of(rows.loc[:, "event_time"])), rows.index)
    blank = dict.fromkeys(("kind", "direction", "explanation"), "")
    lacking = {**blank, "episode": alone, "run": 0, "status": TOLD}
    return rows.loc[:, ANOMALY_COLUMNS].fillna(lacking).astype(types)


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as dictionaries by column."""
    return [{str(name): value for name, value in row.items()} for row in rows.to_dict("records")]


@cache
def no_anomalies() -> pd.DataFrame:
    """No rows of `ANOMALY_COLUMNS`; always the same frame, which nobody changes."""
    types = {"event_time": "datetime64[ns, UTC]", "run": "int64"}
    types |= dict.fromkeys(NUMBERS, "float64")
    return pd.DataFrame(
        {name: pd.Series(dtype=types.get(name, "object")) for name in ANOMALY_COLUMNS}
    )
