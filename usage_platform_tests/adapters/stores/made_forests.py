"""Models of two meters, trained on weekdays of four weeks."""

import numpy as np
import pandas as pd

from usage_platform.core.detector.baseline.slot_forests import train_slot_forests
from usage_platform.core.detector.manifest import Model
from usage_platform.core.meters import Meter
from usage_platform_tests.core.detector.made_manifest import manifest

START = pd.Timestamp("2024-01-01T00:00:00Z")
METERS = (Meter("ä / b", "UTC", 60), Meter("a", "Europe/Rome", 60))
FEBRUARY, MARCH = "2024-02-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00"


def history(meter, weeks, seed=1):
    """Weekdays only, so that the slots of the weekend stay thin."""
    times = pd.date_range(START, periods=24 * 7 * weeks, freq="h", unit="ns")
    values = np.random.default_rng(seed).random(len(times))
    frame = pd.DataFrame({"meter": meter.name, "event_time": times, "value": values})
    return frame[frame["event_time"].dt.weekday < 5]


def made_forests():
    """By the meter's name."""
    return {
        meter.name: train_slot_forests(history(meter, 4, n), meter, lambda done, total: None)
        for n, meter in enumerate(METERS)
    }


def model(detectors, version="v1", judges_from=FEBRUARY, trained_at="2024-02-01"):
    more = {"readings": 9, "left_out": 1, "data_version": 3, "libraries": {"numpy": "2"}}
    made = manifest(version, pd.Timestamp(judges_from), trained_at=trained_at, **more)
    return Model(made, detectors)
