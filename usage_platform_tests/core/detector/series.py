"""Short hourly series for the detector's tests."""

from dataclasses import replace

import numpy as np
import pandas as pd

from usage_platform.core.measurement import Sign
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar

HOURLY = Meter("m", "America/New_York", 60)
NET = replace(HOURLY, sign=Sign.NET)
NO_CALENDAR = Calendar()
HOUR = 3600 * 10**9
DAY = 24 * HOUR
MONDAY = pd.Timestamp("2024-01-01T00:00", tz="America/New_York").value


def library(days=70, seed=0, start=MONDAY, meter=HOURLY):
    """Instants and kW of a building that is open by day, less so at weekends.

    A net meter has solar panels, which give more than the building takes at noon.
    """
    step = meter.interval_minutes * 60 * 10**9
    instants = start + step * np.arange(days * DAY // step)
    local = pd.DatetimeIndex(instants).tz_localize("UTC").tz_convert(meter.zone)
    is_open = (local.hour >= 8) & (local.hour < 20)
    rise = np.where(local.weekday < 5, 500.0, 200.0)
    noise = np.random.default_rng(seed).normal(0, 10, len(instants))
    power = 400 + rise * is_open + noise
    if meter.is_net:
        minute = (local.hour * 60 + local.minute).to_numpy()
        power = power - 1200 * np.maximum(np.sin(np.pi * (minute - 360) / 720), 0)
    return instants, np.round(power, 1)


def frame(instants, values):
    return pd.DataFrame(
        {"ts": pd.DatetimeIndex(instants).as_unit("ns").tz_localize("UTC"), "value": values}
    )
