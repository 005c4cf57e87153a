"""In spring the sun moves what is usual of a net meter, and the clocks move it by an hour."""

from datetime import date

import numpy as np
import pytest

from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.score import score
from usage_platform.core.detector.train import train
from usage_platform.core.generator.building import BuildingProfile
from usage_platform.core.generator.solar import SolarArray, net_readings
from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.units import NS_A_DAY, instants_of

METER = Meter("net", interval_minutes=15, sign=Sign.NET)
START = date(2023, 9, 4)
# The clocks go forward on 2024-03-10.
SPRING = tuple(date(2024, 3, day) for day in (5, 12, 19, 26))


@pytest.mark.parametrize("seed", [1, 2])
def test_healthy_weeks_of_spring_raise_few_alarms(seed):
    rng = np.random.default_rng(seed)
    frame = net_readings(METER, START, 220, BuildingProfile(), SolarArray(), rng).frame
    instants, values = instants_of(frame.loc[:, "ts"]), frame["value"].to_numpy(np.float64)
    options = TrainingOptions()
    days = set()
    for day in SPRING:
        start = local_day_bounds(day, METER.timezone)[0].value
        model = train(instants, values, METER, options, start)
        known = instants < start + 7 * NS_A_DAY
        scored = score(model, instants[known], values[known], start)
        days |= set(scored.loc[scored["flagged"], "ts"].dt.tz_convert(METER.zone).dt.date)
    # Twice what the budget of a day in two weeks allows.
    assert len(days) <= 2 * 0.5 * len(SPRING)
