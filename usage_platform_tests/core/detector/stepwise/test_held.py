"""What a stepwise scorer holds of a meter is bounded, and what meters have in common is shared."""

import numpy as np

from usage_platform.core.detector.stepwise.days import LocalDays, SameDays
from usage_platform.core.detector.stepwise.scorer import StepwiseScorer
from usage_platform.core.detector.stepwise.windows import Prefixes
from usage_platform.core.detector.train import TrainingOptions, train
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import ReadingHistory
from usage_platform_tests.core.detector.series import DAY, MONDAY, NO_CALENDAR, library

KEPT = 300


def of_meter(name):
    return Meter(name, "America/New_York", 5)


def test_meters_of_one_zone_and_interval_share_their_local_days():
    one, other = (LocalDays(of_meter(name), NO_CALENDAR).at(6_000_000).grid for name in "ab")
    assert np.shares_memory(one.step, other.step)
    assert np.shares_memory(one.values, other.values)
    assert (one.meter.name, other.meter.name) == ("a", "b")


def test_meters_without_gaps_share_their_instants():
    instants, values = library(40, meter=of_meter("a"))
    history = ReadingHistory()
    for name in ("a", "b"):
        history.add_of(name, instants[:-1], values[:-1])
        history.add_of(name, instants[-1:], values[-1:])
    assert np.shares_memory(history.of("a").instants, history.of("b").instants)
    assert not np.shares_memory(history.of("a").values, history.of("b").values)


def test_prefix_sums_are_as_long_as_means_look_back_and_an_hour():
    sums = Prefixes(KEPT)
    sums.load(np.ones(20 * KEPT), np.ones(20 * KEPT))
    longest = 0
    for hour in range(100):
        for _ in range(12):
            sums.add(1.0, 1.0, 1.0) if hour % 7 else sums.skip(1)
        longest = max(longest, *(len(one) for one in (sums.known, sums.slow, sums.long)))
        sums.trim()
    assert longest <= 2 * KEPT + 1 + 12


def test_the_days_of_a_type_keep_nothing_of_the_days_between_them():
    same_days = SameDays(12)
    table = np.zeros((30, 288))
    same_days.push(np.arange(30), np.zeros(30, dtype=np.int64), table)
    assert all(row.base is None for past in same_days._past for _, row in past)
    assert same_days.levels(30, 0).base is None


def test_what_is_fixed_for_an_interval_is_held_for_an_hour():
    meter = of_meter("a")
    instants, values = library(75, meter=meter)
    until = MONDAY + 70 * DAY
    model = train(instants, values, meter, TrainingOptions(NO_CALENDAR), until)
    seen = instants < until
    scorer = StepwiseScorer(model, instants[seen], values[seen])
    for instant, value in zip(instants[~seen][:400].tolist(), values[~seen][:400], strict=True):
        scorer.score_next(instant, value)
        assert len(scorer._state._constants) <= 12
