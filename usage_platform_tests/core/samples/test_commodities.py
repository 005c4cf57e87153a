"""Samples of water meters become flows in m3/h, and power with a factor."""

import pandas as pd
import pytest

from usage_platform.core.measurement import Quantity, Unit
from usage_platform.core.meters import Meter
from usage_platform_tests.core.samples.oracle import START, describe, run_stage

METER = Meter("m", "UTC", 15)
MINUTES = range(0, 61, 5)


def readings(quantity: Quantity, unit: Unit, values: list[float], factor: float | None) -> set:
    times = [START + pd.Timedelta(minutes=minute) for minute in MINUTES]
    description = describe(quantity, unit).model_copy(update={"factor": factor})
    found, reasons = run_stage([list(zip(times, values, strict=True))], METER, description)
    assert set(reasons) == {None}
    hour = {value for (_, ts), value in found.items() if ts < START + pd.Timedelta(hours=1)}
    return {round(value, 9) for value in hour}


@pytest.mark.parametrize(
    ("quantity", "unit", "values", "factor", "expected"),
    [
        # 10 l in five minutes are 0.12 m3/h.
        (Quantity.REGISTER, Unit.L, [1000.0 + 2 * m for m in MINUTES], None, 0.12),
        (Quantity.REGISTER, Unit.M3, [7.0 + 0.002 * m for m in MINUTES], None, 0.12),
        (Quantity.ENERGY, Unit.L, [10.0] * len(MINUTES), None, 0.12),
        (Quantity.POWER, Unit.L_H, [120.0] * len(MINUTES), None, 0.12),
        (Quantity.REGISTER, Unit.M3, [7.0 + 0.002 * m for m in MINUTES], 10.0, 1.2),
    ],
)
def test_a_steady_flow_is_the_same_however_it_is_sent(quantity, unit, values, factor, expected):
    assert readings(quantity, unit, values, factor) == {expected}
