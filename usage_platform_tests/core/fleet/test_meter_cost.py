"""What a meter has at stake."""

import math

from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.fleet.meter_cost import NO_COST, UNKNOWN, MeterCost, Stake

AMOUNTS = st.floats(0, 1e6)
DEVIATIONS = st.just(math.nan) | st.floats(-1e6, 1e6)


def cost(episodes: Stake, price: float = 0.5) -> MeterCost:
    return MeterCost("EUR", 100.0, 720, price, episodes)


@given(AMOUNTS, st.floats(-1e6, 1e6))
def test_the_episodes_or_the_week_are_at_stake_whichever_cost_more(amount, deviation):
    found = cost(Stake(amount, is_estimate=False)).at_stake(deviation)
    assert found.amount == max(amount, deviation * 0.5)
    assert found.is_estimate == (found.amount > amount)


@given(DEVIATIONS)
def test_a_cost_that_is_not_known_stays_unknown(deviation):
    unknown = Stake(math.nan, is_estimate=True)
    assert cost(unknown).at_stake(deviation) is unknown
    assert NO_COST.at_stake(deviation) is UNKNOWN


@given(st.floats(0.01, 1e6), DEVIATIONS)
def test_of_a_week_without_a_cost_the_episodes_are_at_stake(amount, deviation):
    episodes = Stake(amount, is_estimate=False)
    assert cost(episodes).at_stake(math.nan) is episodes
    assert cost(episodes, math.nan).at_stake(deviation) is episodes


@given(st.floats(0.01, 1e6))
def test_without_an_episode_a_week_without_a_cost_is_unknown_and_not_0(deviation):
    none = Stake(0.0, is_estimate=False)
    assert cost(none).at_stake(math.nan) is UNKNOWN
    assert cost(none, math.nan).at_stake(math.nan) is UNKNOWN
    assert cost(none, math.nan).at_stake(deviation) is UNKNOWN
    # Nothing above the expected energy costs 0 at any price.
    assert cost(none, math.nan).at_stake(-deviation) is none
    assert cost(none, math.nan).at_stake(0.0) is none
