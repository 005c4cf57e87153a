"""What an anomaly is: its id, its severity, and its row and message.

Belongs here: scoring readings with the models that judge them, and naming what is odd. Used alike
by the streaming sensor and by the backfill by date.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.meters import MeterRegistry
from usage_platform.core.model import Manifest, Model, judged_by
from usage_platform.core.slot_forests import CUT
from usage_platform.core.wire import anomaly_message, read_anomalies

ANOMALY_COLUMNS = [
    "anomaly_id",
    "meter",
    "event_time",
    "usage",
    "expected_low",
    "expected_high",
    "score",
    "severity",
    "model_version",
]
# A range narrower than this share of its middle is widened before a deviation is measured by it:
# four equal comparables would make every other value infinitely far away.
_NARROWEST_RANGE = 0.02


@dataclass(frozen=True)
class Scored:
    """What scoring found.

    Attributes:
        anomalies: `ANOMALY_COLUMNS`, by meter and time.
        scored: Readings that a forest judged.
        learning: Readings older than the end of the oldest model's history, or of a meter that
            their model does not know.
        thin: Readings in slots with too few comparables.
    """

    anomalies: pd.DataFrame
    scored: int
    learning: int
    thin: int


def find_anomalies(
    readings: pd.DataFrame, manifests: Sequence[Manifest], load: Callable[[str], Model]
) -> Scored:
    """Score readings, each by the model that judges its time.

    Args:
        readings: `meter`, `event_time` (datetime64[ns, UTC]), `value` (kW).
        manifests: The models, ascending by `window_end`.
        load: Gives the model of a version.
    """
    readings = readings.reset_index(drop=True)
    by_model = judged_by(readings.loc[:, "event_time"], manifests)
    found, scored, thin = [], 0, 0
    for key, part in readings.groupby([by_model, "meter"], sort=True):
        position, meter = cast("tuple[int, str]", key)
        if position < 0:
            continue
        version = manifests[position].version
        forests = load(version).forests.get(meter)
        if forests is None:
            continue
        scores = forests.score(part.loc[:, "event_time"], part["value"].to_numpy("float64"))
        judged = scores["score"] >= 0
        scored, thin = scored + int(judged.sum()), thin + int((~judged).sum())
        odd = scores["score"] > CUT
        if odd.any():
            found.append(_rows(part.loc[odd], scores.loc[odd], version))
    anomalies = pd.concat(found, ignore_index=True) if found else _no_anomalies()
    return Scored(
        anomalies=anomalies.sort_values(["meter", "event_time"], ignore_index=True),
        scored=scored,
        learning=len(readings) - scored - thin,
        thin=thin,
    )


def _rows(odd: pd.DataFrame, scores: pd.DataFrame, version: str) -> pd.DataFrame:
    rows = pd.DataFrame(
        {
            "meter": odd["meter"],
            "event_time": odd["event_time"],
            "usage": odd["value"],
            "expected_low": scores["expected_low"],
            "expected_high": scores["expected_high"],
            "score": scores["score"],
            "model_version": version,
        }
    )
    rows["severity"] = severity(
        rows.loc[:, "usage"], rows.loc[:, "expected_low"], rows.loc[:, "expected_high"]
    )
    rows["anomaly_id"] = [
        anomaly_id(meter, ts, version)
        for meter, ts in zip(rows["meter"], rows["event_time"], strict=True)
    ]
    return rows.loc[:, ANOMALY_COLUMNS]


def anomaly_id(meter: str, event_time: pd.Timestamp, version: str) -> str:
    """The id of the anomaly of a meter at a time as a model version sees it; 16 hex digits."""
    text = f"{meter}|{event_time.value}|{version}"
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def severity(usage: pd.Series, low: pd.Series, high: pd.Series) -> npt.NDArray[np.str_]:
    """How far outside the expected range: `low` (inside it), `medium`, `high` (over a width)."""
    width = np.maximum(high - low, _NARROWEST_RANGE * (high + low).abs() / 2)
    outside = np.maximum(np.maximum(usage - high, low - usage), 0)
    return np.select([outside <= 0, outside <= width], ["low", "medium"], "high")


def anomaly_messages(anomalies: pd.DataFrame, registry: MeterRegistry) -> list[bytes]:
    """The messages of the topic `anomaly` for these rows (`ANOMALY_COLUMNS`), in their order."""
    messages = []
    columns = (anomalies[name] for name in ANOMALY_COLUMNS)
    for values in zip(*columns, strict=True):
        row = dict(zip(ANOMALY_COLUMNS, values, strict=True))
        ts = row.pop("event_time").tz_convert(registry.get(row["meter"]).zone)
        messages.append(anomaly_message({"ts": ts.to_pydatetime(), **row}))
    return messages


def anomalies_from_messages(values: Sequence[bytes]) -> pd.DataFrame:
    """Rows (`ANOMALY_COLUMNS`) from messages of the topic `anomaly`."""
    events = read_anomalies(values)
    if not events:
        return _no_anomalies()
    rows = pd.DataFrame(events)
    rows["event_time"] = pd.to_datetime(rows.pop("ts"), utc=True, format="ISO8601").astype(
        "datetime64[ns, UTC]"
    )
    return rows.loc[:, ANOMALY_COLUMNS]


def _no_anomalies() -> pd.DataFrame:
    return pd.DataFrame(
        {
            name: pd.Series(
                dtype="datetime64[ns, UTC]"
                if name == "event_time"
                else "float64"
                if name in {"usage", "expected_low", "expected_high", "score"}
                else object
            )
            for name in ANOMALY_COLUMNS
        }
    )
