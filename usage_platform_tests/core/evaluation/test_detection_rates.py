import numpy as np
import pandas as pd
import pytest

from usage_platform.core.evaluation.detection_rates import at_hours, evaluate
from usage_platform.core.meters import Meter

METER = Meter("m", "UTC", 15)
START = pd.Timestamp("2024-01-01", tz="UTC")
A_WEEK = 7 * 96


def judged(odd, weeks=4):
    size = weeks * A_WEEK
    ts = pd.date_range(START, periods=size, freq="15min", unit="ns")
    flags = np.zeros(size, dtype=bool)
    flags[list(odd)] = True
    return pd.DataFrame({"ts": ts, "flagged": flags})


def labels(*spans):
    return pd.DataFrame(
        {
            "kind": [kind for kind, _, _ in spans],
            "start": pd.to_datetime([START + pd.Timedelta(minutes=15 * a) for _, a, _ in spans]),
            "end": pd.to_datetime([START + pd.Timedelta(minutes=15 * b) for _, _, b in spans]),
        }
    )


def found(odd, faults):
    return evaluate(judged(odd), faults, METER, np.random.default_rng(0))


def test_hits_delays_and_false_alarms_are_counted():
    faults = labels(("spike", 100, 104), ("drop", 900, 910))
    one = found([102, 103, 300, 301, 400], faults)
    assert one.hits == {"spike": 1, "drop": 0}
    assert one.recall == 0.5
    assert one.delays == (30.0,)
    assert (one.messages, one.episodes, one.true_episodes, one.hours) == (3, 2, 1, 2)
    assert one.precision == pytest.approx(1 / 3)
    assert one.weeks == 4.0


def test_readings_near_a_fault_are_neither_false_nor_found():
    one = found([98, 105], labels(("spike", 100, 104)))
    assert (one.messages, one.episodes, one.recall) == (0, 0, 0.0)


def test_an_alarm_at_every_reading_has_the_recall_of_chance():
    one = found(range(4 * A_WEEK), labels(("spike", 100, 104)))
    assert one.recall == one.chance == 1.0


def test_chance_grows_with_the_length_of_the_fault():
    odd = range(0, 4 * A_WEEK, 50)
    short = found(odd, labels(("spike", 101, 103)))
    long = found(odd, labels(("shift", 101, 141)))
    assert short.chance < 0.15 < 0.6 < long.chance


def test_results_of_two_series_add_up():
    one = found([102, 300], labels(("spike", 100, 104)))
    both = one + found([], labels(("drop", 100, 104)))
    assert both.recall == 0.5
    assert both.weeks == 8.0
    assert both.messages == one.messages


def test_nothing_judged_is_nothing_found():
    one = evaluate(judged([]).iloc[:0], labels(), METER, np.random.default_rng(0))
    assert np.isnan(one.recall)


def test_methods_can_be_compared_at_the_same_false_hours():
    rows = judged([])
    rng = np.random.default_rng(1)
    rows = rows.assign(value=10.0, low=0.0, high=5.0, score=rng.random(len(rows)), kind="")
    faults = labels(("spike", 100, 104))
    for price in (2.0, 5.0):
        priced = at_hours(rows, faults, METER, price)
        one = evaluate(priced, faults, METER, np.random.default_rng(0))
        assert one.hours / one.weeks == pytest.approx(price)
