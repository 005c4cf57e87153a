"""Readings of one meter every five minutes, as many as a test of the streams needs."""

import pandas as pd

from usage_platform.core.meters import Meter, MeterRegistry

REGISTRY = MeterRegistry(Meter("library"))
START = pd.Timestamp("2024-03-05T10:00:00Z")


def readings(first: int, count: int) -> pd.DataFrame:
    """`meter`, `ts`, `value`; the value of a reading is its number, from `first` on."""
    times = pd.date_range(START, periods=first + count, freq="5min", unit="ns")[first:]
    return pd.DataFrame({"meter": "library", "ts": times, "value": range(first, first + count)})
