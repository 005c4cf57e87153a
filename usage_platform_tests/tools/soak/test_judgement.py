"""When a series counts as flat."""

import math

import numpy as np
import pytest

from usage_platform_tests.tools.soak.judgement import Outcome, judge
from usage_platform_tests.tools.soak.series import SERIES, Per, Sample, Series, empty_values

MINUTES = list(range(1, 31))
NOISE = np.random.default_rng(1).normal(0, 3, len(MINUTES))


def outcome(values, slack=0.0, minutes=MINUTES):
    return judge(minutes, values, slack).outcome


def test_noise_about_a_level_is_flat():
    assert outcome(500 + NOISE) is Outcome.FLAT


def test_a_leak_shows_through_noise_with_its_size():
    leak = [500 + 10 * minute for minute in MINUTES] + NOISE
    judged = judge(MINUTES, leak, 0)
    assert judged.outcome is Outcome.RISES
    assert judged.rise == pytest.approx(150, abs=15)


def test_a_slow_rise_below_a_fifth_of_the_level_is_flat():
    assert outcome([500 + minute for minute in MINUTES]) is Outcome.FLAT


def test_a_rise_within_the_slack_is_flat_however_low_the_level():
    values = [minute / 10 for minute in MINUTES]
    assert outcome(values, slack=5) is Outcome.FLAT
    assert outcome(values, slack=1) is Outcome.RISES


def test_warming_up_in_the_first_half_is_flat():
    assert outcome([min(100 * minute, 1500) for minute in MINUTES]) is Outcome.FLAT


def test_some_peaks_do_not_make_a_rise():
    values = np.full(len(MINUTES), 500.0)
    values[[24, 27, 29]] = 5000
    assert outcome(values) is Outcome.FLAT


def test_what_falls_is_flat():
    assert outcome([1000 - 20 * minute for minute in MINUTES]) is Outcome.FLAT


def test_gaps_are_left_out_and_too_few_points_say_nothing():
    values = [float(minute) for minute in MINUTES]
    gaps = [value if number % 2 else math.nan for number, value in enumerate(values)]
    assert outcome(gaps) is Outcome.RISES
    assert outcome(values[:6], minutes=MINUTES[:6]) is Outcome.UNKNOWN
    assert outcome([math.nan] * 30) is Outcome.UNKNOWN


@pytest.mark.parametrize(("grown_by", "expected"), [(1.0, Outcome.FLAT), (2.0, Outcome.RISES)])
def test_what_grows_with_the_readings_is_judged_by_the_thousand(grown_by, expected):
    series = Series("bytes", "MiB", 0, Per.READINGS)
    samples = [Sample(m, 8000 + 1000 * m, {"bytes": 500 + 3.0 * m**grown_by}) for m in MINUTES]
    assert series.judged(samples).outcome is expected


def test_the_series_have_names_of_their_own():
    assert len(empty_values()) == len(SERIES)
