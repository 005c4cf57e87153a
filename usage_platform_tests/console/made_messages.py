"""Messages of the topics `anomaly` and `episode`, made by hand over Boston's clock change."""

import json

import pandas as pd

from usage_platform.core.anomalies.anomaly import ANOMALY_COLUMNS, anomaly_messages
from usage_platform.core.anomalies.episode_messages import episode_events, withdrawn_episodes
from usage_platform.core.meters import Meter, MeterRegistry

METER = Meter("library [main]", "America/New_York", 5)
# In Boston the clocks go forward between the first and the second of them.
TIMES = pd.to_datetime(["2024-03-10T06:55:00Z", "2024-03-10T07:00:00Z"])
NAME = "2024-03-10T06:55Z"


def anomalies(**other) -> pd.DataFrame:
    row = {
        "meter": METER.name,
        "usage": 700.0,
        "expected": 400.0,
        "expected_low": 350.0,
        "expected_high": 450.0,
        "score": 3.14159,
        "severity": "high",
        "kind": "spike",
        "direction": "above",
        "excess_kwh": 25.0,
        "episode": NAME,
        "explanation": "spike: 700.0 kW where [b]350[/b] to 450 kW are expected, +25.0 kWh",
        "z": 5.0,
        "z_short": 4.0,
        "z_week": float("nan"),
        "run": 0,
        "model_version": "v1",
        "status": "told",
        **other,
    }
    ids = ["0" * 16, "1" * 16]
    return pd.DataFrame([row] * 2).assign(event_time=TIMES, anomaly_id=ids)[ANOMALY_COLUMNS]


def anomaly_values(**other) -> list[bytes]:
    return anomaly_messages(anomalies(**other), MeterRegistry(METER))


def messages(**other) -> list[dict]:
    return [json.loads(value) for value in anomaly_values(**other)]


def episode_values(minutes=0, **other) -> list[bytes]:
    newest = TIMES[1] + pd.Timedelta(minutes=minutes)
    return [event.value for event in episode_events(anomalies(**other), newest, METER)]


def episodes(minutes=0, **other) -> list[dict]:
    return [json.loads(value) for value in episode_values(minutes, **other)]


def withdrawn(name=NAME) -> dict:
    (event,) = withdrawn_episodes({name}, TIMES[1], METER)
    return json.loads(event.value)
