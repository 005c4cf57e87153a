"""The rest of a month at the energies of its range."""

from dataclasses import replace

import numpy as np
import pytest

from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter
from usage_platform.services.meter_forecast import at_energy

QUARTERLY = Meter("m", "America/New_York", 15)
NET = replace(QUARTERLY, sign=Sign.NET)
SUNNY = np.array([4.0, 4.0, -4.0, -4.0])


@pytest.mark.parametrize("kwh", [-3.0, 0.0, 0.01, 5.0])
@pytest.mark.parametrize("less", [0.0, 0.001, 2.0])
def test_the_rest_of_a_net_meter_has_the_energy_and_its_swing(kwh, less):
    power = SUNNY - less
    found = at_energy(power, kwh, NET)
    assert found.sum() / 4 == pytest.approx(kwh)
    assert np.ptp(found) == pytest.approx(np.ptp(power))


def test_the_rest_of_a_meter_that_consumes_keeps_its_shape():
    found = at_energy(np.array([1.0, 0.0, 3.0, 0.0]), 2.0, QUARTERLY)
    np.testing.assert_allclose(found, [2.0, 0.0, 6.0, 0.0])


def test_a_meter_that_stood_still_may_go_on():
    np.testing.assert_allclose(at_energy(np.zeros(4), 1.0, QUARTERLY), np.ones(4))
