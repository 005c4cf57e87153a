"""Prints what a tick of 10,000 meters with one reading each costs, one at a time and as series.

Run by `python -m usage_platform_tests.tools.bench.stepwise`; measured on one meter and multiplied.
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

_METERS = 10_000
_DAYS, _LEARNED_DAYS = 200, 190
_SERIES = 40


def main() -> None:
    """Train on a generated meter, score its last days both ways and print both."""
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
    print(f"CPU time for one five-minute reading of each of {_METERS:,} meters:")
    print(f"  stepwise scorer, context loaded   {_METERS * stepwise:8.2f} s")
    print(f"  `score` with 35 days of context   {_METERS * as_series:8.2f} s")


if __name__ == "__main__":
    main()
