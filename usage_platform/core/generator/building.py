"""The electric load of a building that has no fault, as its meter would have read it.

Belongs here: size, seasons, weather, noise and the lost readings of a healthy building. Not here:
when it is open and the shape of its day (`opening_hours`), faults (`faults`), how meters and seeds
are chosen (the generated source).

Calibrated to seven Tuesdays of the Boston Public Library's central building, 2024-03-05 to
2024-04-16 (Analyze Boston, "central-library-electricity-usage"): 490 kW at night, the plant on
at 05:30, doors at 08:15, a long afternoon slope, off at 22:00, steps of 7.2 kW, one reading in
two thousand lost, equal readings in a row one time in six. Summer and the rest days have no such
record; they follow the range of peaks known of that building, 1,100-1,470 kW.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import cast

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import public_holidays
from usage_platform.core.time.day_numbers import weekday_numbers
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.core.time.opening_hours import MINUTES_A_DAY, OpenHours, day_curve

STEP_KW = 7.2
_NS_A_MINUTE = 60 * 10**9
_NS_A_DAY = MINUTES_A_DAY * _NS_A_MINUTE
_SATURDAY, _SUNDAY = 5, 6
_HOTTEST_DAY_OF_YEAR = 205
_WARMEST_MINUTE = 15 * 60 + 30
_BASE_WEATHER = 0.35  # how much of the rise's sensitivity to weather the base load has
_NOISE_MEMORY_MINUTES = (12.0, 180.0)  # lifts and kitchens; people coming and going


@dataclass(frozen=True)
class BuildingProfile:
    """What makes one building's load differ from another's. The defaults are the library.

    Attributes:
        base_kw: Load that never goes off.
        open_kw: A weekday's rise above the base without cooling.
        cooling_kw: What cooling adds on a hot weekday afternoon.
        weekday: Hours Monday to Friday.
        saturday: Hours on Saturday.
        rest_day: Hours on Sunday and on public holidays.
        weather_memory: How much of today's weather is left tomorrow (AR(1) by day).
        weather_share: How far usual weather moves the day's rise, as a share of it.
        cooling_weather_share: The same for the cooling.
        noise_kw: Standard deviation of the base load's noise.
        open_noise_kw: Standard deviation of the noise that comes with the open building.
        step_kw: The meter's resolution; every reading is a multiple of it.
        lost_share: Chance of a single reading to be lost.
        gap_every_days: Each such span from the start holds one longer gap.
        gap_hours: Shortest and longest longer gap.
        holiday_country: Country code for the `holidays` library.
        holiday_subdivision: State or province in it.
    """

    base_kw: float = 480.0
    open_kw: float = 607.0
    cooling_kw: float = 245.0
    weekday: OpenHours = field(default=OpenHours(330, 495, 1320, 1.0))
    saturday: OpenHours = field(default=OpenHours(390, 495, 1080, 0.85))
    rest_day: OpenHours = field(default=OpenHours(570, 630, 1050, 0.4))
    weather_memory: float = 0.8
    weather_share: float = 0.035
    cooling_weather_share: float = 0.12
    noise_kw: float = 10.0
    open_noise_kw: float = 19.0
    step_kw: float = STEP_KW
    lost_share: float = 0.0004
    gap_every_days: int = 182
    gap_hours: tuple[float, float] = (6.0, 72.0)
    holiday_country: str = "US"
    holiday_subdivision: str | None = "MA"

    def scaled(self, factor: float, later_minutes: int, step_kw: float) -> "BuildingProfile":
        """A building of another size and with other hours.

        Args:
            factor: Multiplies every load and noise.
            later_minutes: Shifts all opening hours; may be negative.
            step_kw: Resolution of the other building's meter.
        """
        return replace(
            self,
            base_kw=self.base_kw * factor,
            open_kw=self.open_kw * factor,
            cooling_kw=self.cooling_kw * factor,
            noise_kw=self.noise_kw * factor,
            open_noise_kw=self.open_noise_kw * factor,
            weekday=self.weekday.later(later_minutes),
            saturday=self.saturday.later(later_minutes),
            rest_day=self.rest_day.later(later_minutes),
            step_kw=step_kw,
        )


def building_load(
    meter: Meter,
    start: date,
    days: int,
    profile: BuildingProfile,
    rng: np.random.Generator,
    site_weather: np.random.Generator | None = None,
) -> pd.DataFrame:
    """The readings of a healthy building over whole local days.

    With a generator of the same seed, a longer span begins with exactly the readings of a shorter
    one.

    Args:
        meter: Gives the local clock and the interval.
        start: First local day.
        days: How many local days, at least 1; those of clock changes have 23 and 25 hours.
        profile: The building.
        rng: All randomness comes from it.
        site_weather: In its place for the weather, which loads of one site share.

    Returns:
        Columns ts (datetime64[ns, UTC], start of the interval, ascending) and value (kW, float64).

    Raises:
        ValueError: If `days` is below 1.
    """
    if days < 1:
        raise ValueError(f"days: expected 1 or more, got {days}; ask for at least one day")
    weather_rng, fast_rng, slow_rng, white_rng, lost_rng, gap_rng = rng.spawn(6)
    ts = expected_instants(meter, start, days)
    wall = ts.tz_convert(meter.zone).tz_localize(None).asi8
    day, minute = wall // _NS_A_DAY, (wall % _NS_A_DAY) / _NS_A_MINUTE

    shape = _shape_of(day, minute, profile)
    weather_rng = site_weather or weather_rng
    weather = _weather((wall - wall[0]) / _NS_A_DAY, profile.weather_memory, weather_rng)
    # Pumps and fans of the early plant flutter nearly as much as the open house.
    busy = np.sqrt(shape)
    size = len(ts)
    fast, slow = np.exp(-meter.interval_minutes / np.array(_NOISE_MEMORY_MINUTES))
    noise = profile.noise_kw * white_rng.standard_normal(size)
    noise += profile.open_noise_kw * busy * stationary(fast_rng, size, fast)
    noise += profile.noise_kw * shape * stationary(slow_rng, size, slow)
    cooling = _season(day) * _warmth(minute) * (0.06 + shape)
    load = (
        profile.base_kw * (1 + _BASE_WEATHER * profile.weather_share * weather)
        + profile.open_kw * shape * (1 + profile.weather_share * weather)
        + profile.cooling_kw * cooling * (1 + profile.cooling_weather_share * weather)
        + noise
    )
    kept = lost_rng.random(size) >= profile.lost_share
    kept &= ~_in_longer_gap(ts, days, profile, gap_rng)
    return pd.DataFrame({"ts": ts[kept], "value": round_to_step(load[kept], profile.step_kw)})


def expected_instants(meter: Meter, start: date, days: int) -> pd.DatetimeIndex:
    """The interval starts of `days` whole local days from `start`, in UTC."""
    first, _ = local_day_bounds(start, meter.timezone)
    _, end = local_day_bounds(start + timedelta(days=days - 1), meter.timezone)
    step = pd.Timedelta(minutes=meter.interval_minutes)
    return pd.date_range(first, end, freq=step, inclusive="left", unit="ns")


def round_to_step(values: np.ndarray, step_kw: float) -> np.ndarray:
    """`values` in kW as a meter of that resolution shows them; never below 0."""
    # The outer rounding takes away the float dust of the product, so that 72 x 7.2 is 518.4.
    return np.round(np.rint(np.maximum(values, 0.0) / step_kw) * step_kw, 6)


def _shape_of(day: np.ndarray, minute: np.ndarray, profile: BuildingProfile) -> np.ndarray:
    """Rise above the base load as a share of a full weekday's."""
    country, subdivision = profile.holiday_country, profile.holiday_subdivision
    holidays = public_holidays(int(day[0]), int(day[-1]), country, subdivision)
    weekday = weekday_numbers(day)
    rest = (weekday == _SUNDAY) | np.isin(day, holidays)
    hours = (profile.rest_day, profile.saturday, profile.weekday)
    curves = [h.level * np.interp(minute, *day_curve(h)) for h in hours]
    return np.select([rest, weekday == _SATURDAY], curves[:2], curves[2])


def _weather(days_since_start: np.ndarray, memory: float, rng: np.random.Generator) -> np.ndarray:
    """Weather in usual deviations, within (-2, 2); one value a noon, straight lines between."""
    # One noon before the first day and one after the last keep the end of a short span equal to
    # the same hours of a long one.
    noons = stationary(rng, int(days_since_start[-1]) + 3, memory)
    return 2 * np.tanh(np.interp(days_since_start + 0.5, np.arange(len(noons)), noons) / 2)


def _season(day: np.ndarray) -> np.ndarray:
    """Cooling season: 0 in winter, 1 in late July."""
    dates = day.astype("datetime64[D]")
    of_year = (dates - dates.astype("datetime64[Y]")).astype(np.int64)
    return ((1 + np.cos(2 * np.pi * (of_year - _HOTTEST_DAY_OF_YEAR) / 365.25)) / 2) ** 3


def _warmth(minute: np.ndarray) -> np.ndarray:
    """The day's course of outdoor warmth: 1 in the afternoon, 0.7 before dawn."""
    return 0.85 + 0.15 * np.cos(2 * np.pi * (minute - _WARMEST_MINUTE) / MINUTES_A_DAY)


def stationary(rng: np.random.Generator, size: int, memory: float) -> np.ndarray:
    """AR(1) series of mean 0 and deviation 1 from its first value on."""
    shocks = rng.standard_normal(size)
    deviation = np.sqrt((1 - memory) / (1 + memory))
    shocks[0] *= deviation
    smooth = pd.Series(shocks).ewm(alpha=1 - memory, adjust=False).mean()
    return smooth.to_numpy() / deviation


def _in_longer_gap(
    ts: pd.DatetimeIndex, days: int, profile: BuildingProfile, rng: np.random.Generator
) -> np.ndarray:
    """True where a longer gap swallows the reading; one gap a block of `gap_every_days`."""
    blocks = -(-days // profile.gap_every_days)
    draws = rng.random((blocks, 2))
    shortest, longest = profile.gap_hours
    begin = (np.arange(blocks) + draws[:, 0]) * profile.gap_every_days * 24
    end = begin + shortest + (longest - shortest) * draws[:, 1]
    hours = (ts.asi8 - ts.asi8[0]) / (60 * _NS_A_MINUTE)
    begun = cast("Ints", np.searchsorted(begin, hours, "right"))
    ended = cast("Ints", np.searchsorted(end, hours, "right"))
    return begun > ended
