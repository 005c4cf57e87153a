import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.readings.series import NO_READINGS, ReadingHistory, Series
from usage_platform_tests.core.detector.made_models import readings

START = pd.Timestamp("2024-03-05T10:00:00Z")
HOUR = pd.Timedelta(hours=1)


def at(hour):
    return START + hour * HOUR


def frame(*pairs, meter="m"):
    return readings(*((meter, at(hour), value) for hour, value in pairs))


def held(history, meter="m"):
    series = history.of(meter)
    hours = (series.instants - START.value) // HOUR.value
    return dict(zip(hours.tolist(), series.values.tolist(), strict=True))


batches = st.lists(
    st.lists(st.tuples(st.integers(-5, 15), st.sampled_from([1.0, 2.0])), max_size=8), max_size=5
)


@given(batches)
def test_the_last_reading_of_an_interval_wins_and_the_first_difference_is_told(batches):
    history, oracle = ReadingHistory(), {}
    for batch in batches:
        before = dict(oracle)
        oracle.update(batch)
        different = [hour for hour, value in oracle.items() if before.get(hour) != value]
        changed = history.add(frame(*batch))
        assert changed == ({"m": at(min(different)).value} if different else {})
        assert held(history) == oracle
        assert (np.diff(history.of("m").instants) > 0).all()


def test_meters_are_kept_apart():
    history = ReadingHistory()
    both = pd.concat([frame((3, 1.0)), frame((2, 5.0), meter="n")])
    assert history.add(both) == {"m": at(3).value, "n": at(2).value}
    assert held(history) == {3: 1.0}
    assert held(history, "n") == {2: 5.0}


def test_a_meter_that_has_sent_nothing_has_no_readings():
    assert ReadingHistory().of("m") is NO_READINGS
    assert ReadingHistory().add(frame()) == {}


def test_what_is_forgotten_is_gone_and_the_rest_stays():
    history = ReadingHistory()
    history.add(frame((1, 1.0), (2, 2.0), (3, 3.0)))
    history.forget("m", at(2).value)
    assert held(history) == {2: 2.0, 3: 3.0}


def test_a_series_is_cut_in_two_without_a_reading_lost_or_doubled():
    series = Series(np.array([10, 20, 30]), np.array([1.0, 2.0, 3.0]))
    assert series.since(20).instants.tolist() == [20, 30]
    assert series.until(20).instants.tolist() == [10]
    assert series.until(20).values.tolist() == [1.0]
    assert series.since(31).instants.tolist() == []
