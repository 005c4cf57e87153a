"""What a tick of many meters with one reading each costs, one at a time and as series.

Measured on one meter and multiplied. Not here: the row that shows it (`scoring`).
"""

import time
from datetime import date

import numpy as np

from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.score import CONTEXT_NS, score
from usage_platform.core.detector.stepwise.scorer import StepwiseScorer
from usage_platform.core.detector.train import train
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import NS_A_DAY, instants_of

_DAYS, _LEARNED_DAYS = 200, 190
_SERIES = 40


def tick_cpu_seconds(meters: int) -> tuple[float, float]:
    """CPU seconds of a reading of each meter: by the stepwise scorer, and as series."""
    meter = Meter()
    source = GeneratedSource((meter,), date(2024, 1, 1), _DAYS, 1)
    frame = source.load(lambda done, of: None).frame
    instants = instants_of(frame["ts"])
    values = frame["value"].to_numpy(np.float64)
    until = int(instants[0]) + _LEARNED_DAYS * NS_A_DAY
    model = train(instants, values, meter, TrainingOptions(Calendar("US", "MA")), until)
    first = int(np.searchsorted(instants, until))
    scorer = StepwiseScorer(model, instants[:first], values[:first])
    coming = list(zip(instants[first:].tolist(), values[first:].tolist(), strict=True))
    begin = time.process_time()
    for instant, value in coming:
        scorer.score_next(instant, value)
    stepwise = (time.process_time() - begin) / len(coming)
    begin = time.process_time()
    for at in range(first, first + _SERIES):
        known = slice(np.searchsorted(instants, instants[at] - CONTEXT_NS), at + 1)
        score(model, instants[known], values[known], int(instants[at]))
    as_series = (time.process_time() - begin) / _SERIES
    return meters * stepwise, meters * as_series
