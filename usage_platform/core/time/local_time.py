"""Local wall-clock time to UTC instants, both changes of the clocks included.

Belongs here: every place where a local time becomes an instant, or a local day gets its bounds.
Not here: reading times from text (`reading_rows`), and calendars of holidays or slots.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.time.autumn_hour import first_pass


def to_utc(
    naive: pd.Series, timezone: str, *, in_file_order: bool = False, groups: Ints | None = None
) -> pd.Series:
    """The instants of local wall-clock times.

    In spring an hour of local time does not exist: those become NaT. In autumn an hour comes
    twice: the first time in daylight-saving time, the second in standard time.

    Args:
        naive: datetime64[ns] without a zone; NaT stays NaT. Years 1970 to 2037, for which pandas
            knows the clock changes.
        timezone: IANA name of the local time.
        in_file_order: Tells the two autumn hours apart. True: the rows are in the order of their
            file, by which they are told apart (`autumn_hour.first_pass`). False: every ambiguous
            time is daylight-saving time.
        groups: With `in_file_order`, the meter and file of each row, as for `first_pass`; one
            meter and file by default.

    Returns:
        datetime64[ns, UTC] with the index of `naive`.
    """
    local = naive.dt.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
    utc = local.dt.tz_convert("UTC").copy()
    unclear = (naive.notna() & local.isna()).to_numpy()
    if unclear.any():
        times = naive.loc[unclear]
        first = _localized(times, timezone, np.ones(len(times), dtype=np.bool_))
        if in_file_order and first.notna().any():
            exists = unclear.copy()
            exists[unclear] = first.notna().to_numpy()
            second = _localized(times, timezone, np.zeros(len(times), dtype=np.bool_))
            is_first = np.ones(len(times), dtype=np.bool_)
            is_first[first.notna().to_numpy()] = first_pass(
                naive.to_numpy("datetime64[ns]"),
                exists,
                (second - first).dropna().iloc[0].to_timedelta64(),
                np.zeros(len(naive), dtype=np.int64) if groups is None else groups,
            )
            first = first.where(is_first, second)
        utc.loc[unclear] = first
    return utc


def _localized(times: pd.Series, timezone: str, is_first: npt.NDArray[np.bool_]) -> pd.Series:
    local = times.dt.tz_localize(timezone, ambiguous=is_first, nonexistent="NaT")
    return local.dt.tz_convert("UTC")


def local_day_bounds(day: date, timezone: str) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first instant of a local day and the first instant after it, both in UTC.

    They lie 23, 24 or 25 hours apart. Where the clocks change at midnight, the day starts at the
    change, or at the earlier of two midnights, so that the days follow each other without a gap.

    Args:
        day: The local calendar day.
        timezone: IANA name of the local time.
    """
    return _first_instant(day.toordinal(), timezone), _first_instant(day.toordinal() + 1, timezone)


def clock_instant(day: date, minute: int, zone: ZoneInfo, *, is_first: bool) -> datetime:
    """The instant, UTC, of a time on the wall clock; of one that the clocks skip, their change.

    Args:
        day: The local calendar day.
        minute: Minutes on the clock since midnight; 1440 is the next midnight.
        zone: The local time.
        is_first: Which of two is meant in the hour that comes twice.
    """
    naive = pd.Timestamp(day) + pd.Timedelta(minutes=minute)
    local = naive.tz_localize(zone, ambiguous=is_first, nonexistent="shift_forward")
    return local.tz_convert(UTC).to_pydatetime()


def expected_readings(day: date, timezone: str, interval_minutes: int) -> int:
    """How many intervals a complete local day holds: at 5 minutes 276, 288 or 300.

    Args:
        day: The local calendar day.
        timezone: IANA name of the local time.
        interval_minutes: Length of one reading's interval in minutes.
    """
    start, end = local_day_bounds(day, timezone)
    return (end - start) // timedelta(minutes=interval_minutes)


def offset_changes(timezone: str, first: date, last: date) -> list[tuple[datetime, int]]:
    """When a zone's distance from UTC changes, for programs that know no time zones.

    Args:
        timezone: IANA name.
        first: The first day to look at, UTC.
        last: The last day, inclusive.

    Returns:
        UTC instants without a zone, from which on local time is so many minutes ahead of UTC; the
        first of them is the start of `first`.
    """
    zone = ZoneInfo(timezone)

    def minutes(at: datetime) -> int:
        offset = at.replace(tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()
        return int(offset.total_seconds()) // 60

    midnights = [datetime.combine(date.fromordinal(n), time()) for n in _ordinals(first, last)]
    changes = [(midnights[0], minutes(midnights[0]))]
    for day in midnights:
        if minutes(day + timedelta(days=1)) != changes[-1][1]:
            times = (day + timedelta(minutes=n) for n in range(1, 1441))
            at = next(at for at in times if minutes(at) != changes[-1][1])
            changes.append((at, minutes(at)))
    return changes


def _ordinals(first: date, last: date) -> range:
    return range(first.toordinal(), last.toordinal() + 1)


def _first_instant(ordinal: int, timezone: str) -> pd.Timestamp:
    # fold=0 (the default) takes a missing midnight at the offset before the change, which is the
    # instant of the change itself, and the earlier of two midnights.
    midnight = datetime.combine(date.fromordinal(ordinal), time(), tzinfo=ZoneInfo(timezone))
    return pd.Timestamp(midnight.astimezone(UTC))
