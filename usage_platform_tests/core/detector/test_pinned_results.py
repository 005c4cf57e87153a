"""Pinned results: what was learned and scored before the code was reorganised, as hashes.

Numbers go into a hash with nine significant digits: linear algebra differs in the last bits from
processor to processor. A hash that changes means that models and anomalies of all users change.
"""

import hashlib
from dataclasses import fields, is_dataclass

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.detector.baseline.slot_forests import train_slot_forests
from usage_platform.core.detector.baseline.step_function import MAX_SAMPLES, fit_step_function
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.score import score
from usage_platform.core.detector.train import train
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, library

QUARTERLY = Meter("m", "America/New_York", 15)
TRAINED_DAYS, SCORED_DAYS = 84, 21


def with_faults(meter):
    instants, values = library(TRAINED_DAYS + SCORED_DAYS, 4, meter=meter)
    rng = np.random.default_rng(4)
    hour = meter.readings_per_hour
    for begin in rng.integers(0, len(values) - 30 * hour, 40).tolist():
        values[begin : begin + 3 * hour] *= rng.uniform(0.3, 2.0)
    values[-200 * hour : -180 * hour] += 300
    values[-150 * hour : -120 * hour] = 555.0
    values[-90 * hour : -88 * hour] = 0.0
    kept = rng.random(len(values)) > 0.02
    return instants[kept], values[kept]


def texts(value):
    """Everything that a value holds, as texts that are the same on every processor."""
    if isinstance(value, np.ndarray):
        yield str(value.shape)
        yield from (f"{number:.9g}" for number in value.ravel().astype(np.float64).tolist())
    elif isinstance(value, float):
        yield f"{value:.9g}"
    elif isinstance(value, tuple):
        for item in value:
            yield from texts(item)
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts(getattr(value, field.name))
    else:
        yield str(value)


def digest(*values):
    found = hashlib.sha256()
    for value in values:
        for text in texts(value):
            found.update(text.encode() + b"\n")
    return found.hexdigest()[:16]


def columns(frame):
    """The columns of numbers, the kinds as text."""
    numbers = [frame[name].to_numpy(np.float64) for name in frame if name not in ("ts", "kind")]
    return [*numbers, tuple(str(kind) for kind in frame["kind"])]


@pytest.mark.parametrize(
    ("meter", "method", "model_hash", "rows_hash"),
    [
        (HOURLY, Method.FOREST, "cbee4aac58b0103d", "d3244229a1fabf24"),
        (HOURLY, Method.ROBUST_Z, "78b6884cca5ce522", "97cca6b78992ec16"),
        (QUARTERLY, Method.FOREST, "f273e1309fe4d6e9", "99802ed1a3dca652"),
    ],
)
def test_the_same_readings_give_the_same_model_and_scores_as_ever(
    meter, method, model_hash, rows_hash
):
    until = MONDAY + TRAINED_DAYS * DAY
    model = train(*with_faults(meter), meter, TrainingOptions(Calendar("US", "MA"), method), until)
    rows = score(model, *with_faults(meter), until)
    assert rows["flagged"].any()
    learned = (
        model.baseline,
        model.forests,
        model.threshold,
        model.flatline_after,
        model.zeros_are_usual,
    )
    assert (digest(*learned), digest(*columns(rows))) == (model_hash, rows_hash)


def test_the_same_values_give_the_same_steps_as_ever():
    rng = np.random.default_rng(0)
    steps = [
        fit_step_function(rng.normal(900, 80, size), 100, 42)
        for size in (2, 3, 5, 8, 60, MAX_SAMPLES, MAX_SAMPLES + 44)
    ]
    assert digest(*steps) == "f02dee59d7d38933"


def test_the_same_readings_give_the_same_slot_forests_as_ever():
    instants, values = library(40)
    times = pd.Series(pd.DatetimeIndex(instants).tz_localize("UTC"))
    history = pd.DataFrame({"event_time": times, "value": values})
    forests = train_slot_forests(history, HOURLY, lambda done, of: None)
    assert (
        digest(forests.low, forests.high, forests.starts, forests.cuts, forests.scores)
        == "d6ae0c94ce72038a"
    )
