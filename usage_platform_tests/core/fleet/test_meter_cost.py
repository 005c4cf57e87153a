"""What a meter has at stake."""

import math

from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.fleet.meter_cost import NO_COST, UNKNOWN, MeterCost, Stake

AMOUNTS = st.floats(0, 1e6)
DEVIATIONS = st.just(math.nan) | st.floats(-1e6, 1e6)


def cost(episodes: Stake, price: float = 0.5) -> MeterCost:
    return MeterCost("EUR", 100.0, 720, price, episodes)


@given(AMOUNTS, DEVIATIONS)
def test_the_episodes_or_the_week_are_at_stake_whichever_cost_more(amount, deviation):
    found = cost(Stake(amount, is_estimate=False)).at_stake(deviation)
    assert found.amount == max(amount, 0.0 if math.isnan(deviation) else deviation * 0.5)
    assert found.is_estimate == (found.amount > amount)


@given(DEVIATIONS)
def test_a_cost_that_is_not_known_stays_unknown(deviation):
    unknown = Stake(math.nan, is_estimate=True)
    assert cost(unknown).at_stake(deviation) is unknown
    assert NO_COST.at_stake(deviation) is UNKNOWN


@given(AMOUNTS, DEVIATIONS)
def test_without_a_mean_price_the_episodes_are_at_stake(amount, deviation):
    episodes = Stake(amount, is_estimate=False)
    assert cost(episodes, math.nan).at_stake(deviation) is episodes
