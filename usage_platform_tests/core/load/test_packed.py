import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.load.packed import pack, unpack
from usage_platform.core.load.series import PowerSeries
from usage_platform.core.meters import Meter
from usage_platform_tests.core.load.made_series import from_values, local

_START = local("2024-03-05T00:00")
_KW = st.one_of(
    st.just(float("nan")), st.integers(0, 10**9).map(lambda milli: round(milli / 1000, 3))
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_KW, max_size=50))
def test_every_power_of_whole_watts_comes_back_and_every_gap_is_one(values):
    series = from_values(_START, values)
    unpacked = unpack(pack(series))
    places = (series.instants - series.instants[:1]) // series.interval_ns
    column = unpacked.columns["value"]
    assert np.isfinite(column).sum() == len(series)
    np.testing.assert_allclose(column[places], series.values, atol=1e-6)


def test_the_header_says_when_it_starts_and_how_far_the_intervals_lie_apart():
    header = unpack(pack(from_values(_START, [7.2, 14.4], Meter("m ü", interval_minutes=5)))).header
    assert (header["meter"], header["start"], header["step"], header["size"]) == (
        "m ü",
        _START // 10**9,
        300,
        2,
    )


def test_the_band_is_near_enough_and_unknown_where_it_is_unknown():
    instants = _START + 3600 * 10**9 * np.arange(3)
    unknown = np.full(3, np.nan)
    low, high = np.array([np.nan, 440.26, 439.1]), np.array([np.nan, 512.9, 514.2])
    series = PowerSeries(
        from_values(_START, [1.0]).meter, instants, np.array([480.0, 487.2, 1400.0]), unknown,
        low, high,
    )  # fmt: skip
    columns = unpack(pack(series)).columns
    for name, exact in (("low", low), ("high", high)):
        assert np.isnan(columns[name][0])
        assert np.abs(columns[name][1:] - exact[1:]).max() <= 1.4


@pytest.mark.parametrize("jump", [32.767, 32.768, 2_000_000.0])
def test_a_jump_beyond_sixteen_bits_is_kept_in_thirty_two(jump):
    unpacked = unpack(pack(from_values(_START, [0.001, 0.001 + jump])))
    assert unpacked.columns["value"][1] == pytest.approx(0.001 + jump)


def test_a_year_in_steps_of_the_meter_is_small():
    import gzip

    steps = np.random.default_rng(1).integers(-2, 3, 105_120).cumsum()
    values = list(480 + 7.2 * (np.abs(steps) % 100))
    packed = pack(from_values(_START, values, Meter("m", interval_minutes=5)))
    assert len(gzip.compress(packed)) < 60_000


def test_nothing_is_packed_as_nothing():
    assert unpack(pack(from_values(_START, []))).header["size"] == 0
