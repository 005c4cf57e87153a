"""Texts become times: wall-clock times, and instants where an offset is written.

Belongs here: reading times of a known form, many at once. Not here: which form a file uses
(`time_forms`), and clock changes (`core.time`).
"""

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.meter_files.time_forms import MONTHS_A_YEAR, ZONES, TimeForm, month_of

Times = npt.NDArray[np.datetime64]
Flags = npt.NDArray[np.bool_]

# pandas knows the clock changes of these years only.
_FIRST, _LAST = np.datetime64("1970-01-01", "ns"), np.datetime64("2037-12-31T23:59:59", "ns")
_USUAL_FORM = "%Y-%m-%d %H:%M:%S"
_CENTURY_FROM = 70
_NS = {"D": 86_400 * 10**9, "H": 3_600 * 10**9, "M": 60 * 10**9, "S": 10**9}
_LAST_HOUR, _NOON = 24, 12
_HOURS_OF_LONGEST_DAY = 25


@dataclass(frozen=True, eq=False)
class ReadTimes:
    """The times of n texts.

    Attributes:
        wall: datetime64[ns]: wall-clock times; NaT where an offset is written or there is none.
        instants: datetime64[ns], UTC, of texts with an offset; NaT elsewhere.
        ends_of_day: How many are written as 24:00.
        numbered: The numbers of the hours, where times of day are no more than that.
    """

    wall: Times
    instants: Times
    ends_of_day: int = 0
    numbered: "NumberedHours | None" = None

    @property
    def unreadable(self) -> Flags:
        """Where there is neither."""
        return np.isnat(self.wall) & np.isnat(self.instants)


@dataclass(frozen=True, eq=False)
class NumberedHours:
    """Dates with the number of an hour, of n texts.

    Attributes:
        days: datetime64[D]; NaT where there is no date, an offset or a number above 25.
        hours: int64, from 0 to 25.
    """

    days: npt.NDArray[np.datetime64]
    hours: Ints


def read_times(texts: pd.Series, form: TimeForm) -> ReadTimes:
    """Read texts of one form.

    The time of day may be 24:00, which is the midnight after that day. Years are 1970 to 2037, of
    two digits 1970 to 2069.

    Args:
        texts: The cells, as text.
        form: How they are written.
    """
    wall = np.full(len(texts), np.datetime64("NaT"), dtype="datetime64[ns]")
    instants = wall.copy()
    ends, numbered = 0, None
    if form.is_usual:
        usual = pd.to_datetime(texts, format=_USUAL_FORM, errors="coerce")
        wall = usual.to_numpy("datetime64[ns]").copy()
    left = np.flatnonzero(np.isnat(wall))
    if len(left):
        parts = texts.iloc[left].str.strip().str.extract(rf"\A(?:{form.pattern})\Z")
        clock, offset, ends = _from_parts(parts)
        if form.has_hours_alone:
            numbered = _numbered(parts)
        has_offset = ~np.isnan(offset)
        wrong = ~has_offset & parts["z"].notna().to_numpy() if "z" in parts else ~has_offset & False
        clock = np.where(wrong, np.datetime64("NaT"), clock)
        shift = np.nan_to_num(offset).astype("timedelta64[ns]")
        instants[left] = np.where(has_offset, clock - shift, np.datetime64("NaT"))
        wall[left] = np.where(has_offset, np.datetime64("NaT"), clock)
    return ReadTimes(_within_years(wall), _within_years(instants), ends, numbered)


def _numbered(parts: pd.DataFrame) -> NumberedHours:
    """The numbers of hours, also of those that no clock shows."""
    hour = _numbers(parts, "H", _HOURS_OF_LONGEST_DAY + 1)
    midnight, offset, _ = _from_parts(parts.assign(H="0"))
    known = np.isnan(offset) & (hour <= _HOURS_OF_LONGEST_DAY)
    days = np.where(known, midnight.astype("datetime64[D]"), np.datetime64("NaT", "D"))
    return NumberedHours(days, np.where(known, hour, 0).astype(np.int64))


def _within_years(times: Times) -> Times:
    with np.errstate(invalid="ignore"):
        known = (times >= _FIRST) & (times <= _LAST)
    return np.where(known, times, np.datetime64("NaT")).astype("datetime64[ns]")


def _from_parts(parts: pd.DataFrame) -> tuple[Times, npt.NDArray[np.float64], int]:
    """Clock times, offsets in ns (NaN without one), and how many are 24:00."""
    if "e" in parts:
        seconds = _numbers(parts, "e", np.nan)
        # Seconds have 9 or 10 digits, and each finer unit three more.
        finer = np.maximum(np.ceil((parts["e"].str.len().to_numpy(dtype=float) - 10) / 3), 0)
        nanoseconds = seconds * 10.0 ** (9 - 3 * finer)
        known = ~np.isnan(nanoseconds)
        clock = np.where(
            known,
            np.nan_to_num(nanoseconds).astype("int64").astype("datetime64[ns]"),
            np.datetime64("NaT"),
        )
        return clock, np.where(known, 0.0, np.nan), 0
    year, day = _numbers(parts, "Y", np.nan), _numbers(parts, "d", np.nan)
    year = np.where(year < _CENTURY_FROM, year + 2000, np.where(year < 100, year + 1900, year))
    month = _months(parts)
    hour, minute, second = (_numbers(parts, name, 0) for name in "HMS")
    hour, half_fits = _of_24_hours(parts, hour)
    is_end = (hour == _LAST_HOUR) & (minute == 0) & (second == 0)
    good = (
        (year > 0) & (month >= 1) & (month <= MONTHS_A_YEAR) & (day >= 1) & half_fits
        & ((hour < _LAST_HOUR) | is_end) & (minute < 60) & (second < 60)
    )  # fmt: skip
    months = (np.where(good, (year - 1970) * 12 + month - 1, 0)).astype("int64")
    first = months.astype("datetime64[M]")
    date = first.astype("datetime64[D]") + np.where(good, day - 1, 0).astype("timedelta64[D]")
    good &= date.astype("datetime64[M]") == first
    within_day = hour * _NS["H"] + minute * _NS["M"] + second * _NS["S"] + _fraction(parts)
    clock = date.astype("datetime64[ns]") + np.where(good, within_day, 0).astype("timedelta64[ns]")
    clock = np.where(good, clock, np.datetime64("NaT"))
    return clock, _offsets(parts), int((is_end & good).sum())


def _numbers(parts: pd.DataFrame, name: str, missing: float) -> npt.NDArray[np.float64]:
    if name not in parts:
        return np.full(len(parts), missing, dtype=np.float64)
    texts = parts[name].where(parts[name] != "")
    numbers = pd.to_numeric(texts, errors="coerce")
    return np.asarray(numbers.fillna(missing), dtype=np.float64)


def _months(parts: pd.DataFrame) -> npt.NDArray[np.float64]:
    if "b" not in parts:
        return _numbers(parts, "m", np.nan)
    numbers = {name: month_of(name) for name in parts["b"].dropna().unique()}
    return np.asarray(parts["b"].map(cast("Any", numbers)), dtype=np.float64)


def _of_24_hours(
    parts: pd.DataFrame, hour: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], Flags]:
    """Hours of the day, and where an hour fits its half of the day."""
    if "p" not in parts:
        return hour, np.ones(len(hour), dtype=bool)
    half = parts["p"].fillna("").str.lower().to_numpy(dtype=object)
    is_am, is_pm = half == "a", half == "p"
    fits = ~(is_am | is_pm) | ((hour >= 1) & (hour <= _NOON))
    hour = np.where(is_am & (hour == _NOON), 0, hour)
    return np.where(is_pm & (hour < _NOON), hour + _NOON, hour), fits


def _fraction(parts: pd.DataFrame) -> npt.NDArray[np.float64]:
    if "f" not in parts:
        return np.zeros(len(parts))
    digits = parts["f"].fillna("").str.pad(9, side="right", fillchar="0")
    return np.asarray(pd.to_numeric(digits), dtype=np.float64)


def _offsets(parts: pd.DataFrame) -> npt.NDArray[np.float64]:
    if "z" not in parts:
        return np.full(len(parts), np.nan)
    distinct = {text: _offset_ns(text) for text in parts["z"].dropna().unique()}
    return parts["z"].map(cast("Any", distinct)).to_numpy(dtype=np.float64)


def _offset_ns(text: str) -> float:
    digits = text[1:].replace(":", "")
    if not digits.isdigit():  # Z, UTC, GMT or a zone
        return float(ZONES.get(text, 0) * _NS["H"])
    hours, minutes = int(digits[:2]), int(digits[2:] or 0)
    if hours >= _LAST_HOUR or minutes >= 60:
        return float("nan")
    return (-1 if text[0] == "-" else 1) * float(hours * _NS["H"] + minutes * _NS["M"])
