"""What a solar array on a roof generates, and the net meter of a building with one.

Belongs here: the sun, clouds, and the meter that reads load minus generation. Not here: the load
(`building`), faults (`net_faults`).

Source of the clear sky: Haurwitz, "Insolation in relation to cloudiness and cloud density", Journal
of Meteorology 2, 1945; declination by Cooper, "The absorption of radiation in solar stills", Solar
Energy 12, 1969. The equation of time is left out: it moves noon by a quarter of an hour at most.
"""

from dataclasses import dataclass
from datetime import date
from typing import cast

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.generator.building import (
    BuildingProfile,
    building_load,
    stationary,
)
from usage_platform.core.meters import Meter
from usage_platform.core.time.units import NS_A_DAY, NS_A_MINUTE, instants_of

_DAYS_A_YEAR = 365.25
_TILT = 23.45
_CLEAR_SKY = 1.098
"""kW a square metre under a sun straight above, before the air's share is taken away."""

_CLOUD_MEMORY_MINUTES = 60.0
_WEATHER_MEMORY = 0.4  # how much of today's clouds is left tomorrow
_DARKEST = 0.1  # what the thickest clouds leave of the light
_UNSTEADY = 1.0  # how far clouds of an hour move the light of a day that is neither clear nor grey


@dataclass(frozen=True)
class SolarArray:
    """A flat solar array. The defaults let the library export on most clear days of half a year.

    Attributes:
        peak_kw: Power at 1 kW of light a square metre.
        latitude: Degrees north.
        longitude: Degrees east.
    """

    peak_kw: float = 2400.0
    latitude: float = 42.35
    longitude: float = -71.08


@dataclass(frozen=True, eq=False)
class NetReadings:
    """The readings of a net meter and what they are made of.

    Attributes:
        frame: ts (datetime64[ns, UTC], start of the interval, ascending), value (kW, load minus
            generation).
        load: kW, one for each reading.
        generated: kW, 0 or more, one for each reading.
    """

    frame: pd.DataFrame
    load: Floats
    generated: Floats


def generation(instants: Ints, array: SolarArray, rng: np.random.Generator) -> Floats:
    """What the array generates at each instant.

    Args:
        instants: ns since 1970 UTC, ascending; at least one.
        array: The array.
        rng: All clouds come from it.

    Returns:
        kW, 0 or more, one for each instant.
    """
    day_rng, hour_rng = rng.spawn(2)
    height = np.maximum(_sine_of_elevation(instants, array), 0.0)
    clear = _CLEAR_SKY * height * np.exp(-0.057 / np.maximum(height, 1e-3))
    since = (instants - instants[0]) / NS_A_DAY
    noons = stationary(day_rng, int(since[-1]) + 2, _WEATHER_MEMORY)
    weather = cast("Floats", np.interp(since, np.arange(len(noons)), noons))
    step = float(np.median(np.diff(instants))) if len(instants) > 1 else float(NS_A_MINUTE)
    memory = float(np.exp(-step / NS_A_MINUTE / _CLOUD_MEMORY_MINUTES))
    clouds = stationary(hour_rng, len(instants), memory)
    # A clear day is steady and so is a grey one; the days between are not.
    unsteady = _UNSTEADY * np.exp(-np.square(weather))
    light = 1 / (1 + np.exp(-(0.8 + 1.8 * weather + unsteady * clouds)))
    return array.peak_kw * clear * (_DARKEST + (1 - _DARKEST) * light)


def net_readings(
    meter: Meter,
    start: date,
    days: int,
    profile: BuildingProfile,
    array: SolarArray,
    rng: np.random.Generator,
) -> NetReadings:
    """The net meter of a healthy building with a healthy array, over whole local days.

    Args:
        meter: Gives the local clock and the interval.
        start: First local day.
        days: How many local days, at least 1.
        profile: The building.
        array: The array.
        rng: All randomness comes from it.

    Raises:
        ValueError: If `days` is below 1.
    """
    load_rng, solar_rng = rng.spawn(2)
    frame = building_load(meter, start, days, profile, load_rng)
    load = frame["value"].to_numpy(np.float64)
    instants = instants_of(frame.loc[:, "ts"])
    generated = generation(instants, array, solar_rng)
    value = net_to_step(load - generated, profile.step_kw)
    return NetReadings(frame.assign(value=value), load, generated)


def net_to_step(values: Floats, step_kw: float) -> Floats:
    """`values` in kW as a net meter of that resolution shows them, of both signs."""
    # Adding 0 makes a negative zero a plain one.
    return np.round(np.rint(values / step_kw) * step_kw, 6) + 0.0


def _sine_of_elevation(instants: Ints, array: SolarArray) -> Floats:
    """How high the sun stands: 1 straight above, below 0 at night."""
    days = instants / NS_A_DAY
    of_year = np.mod(days, _DAYS_A_YEAR)
    tilt = np.deg2rad(_TILT * np.sin(2 * np.pi * (284 + of_year) / 365))
    hour = 2 * np.pi * (np.mod(days, 1.0) + array.longitude / 360 - 0.5)
    place = np.deg2rad(array.latitude)
    return np.sin(place) * np.sin(tilt) + np.cos(place) * np.cos(tilt) * np.cos(hour)
