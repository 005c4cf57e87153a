"""Readings of groups: the signed sum of the readings of its meters in each interval.

Belongs here: which intervals some readings touch, and their sums. Not here: which groups there are
(`summed_groups`), reading and publishing readings (services).

An interval has a sum if each meter of the group that is due has all of its readings in it. A meter
with a shorter interval than the group counts with the mean of its readings. The sum is a function
of the set of readings: it has the same bits for any order of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.fleet.summed_groups import SummedGroup
from usage_platform.core.meter_files.series import local_shift
from usage_platform.core.time.units import NS_A_MINUTE, instants_of

_BEGINNING, _END = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@dataclass(frozen=True, eq=False)
class GroupReadings:
    """The sums of some intervals.

    Attributes:
        readings: `meter` (the group's name), `ts` (datetime64[ns, UTC], the interval's start) and
            `value` (kW) of the intervals that have a sum; in order of `ts` and `meter`.
        members: `group` (its name), `meter`, `start` (ns since 1970 UTC), `is_there`: a row for
            each meter that is due in an interval in which a meter of the group has a reading;
            whether it has all of its readings.
    """

    readings: pd.DataFrame
    members: pd.DataFrame


def touched_intervals(groups: Sequence[SummedGroup], readings: pd.DataFrame) -> pd.DataFrame:
    """The intervals of groups in which some readings lie.

    Args:
        groups: The groups.
        readings: `meter`, `event_time` (datetime64[ns, UTC]); of any meters.

    Returns:
        `at` (the position of the group), `start` (ns since 1970 UTC); distinct.
    """
    return _placed(_memberships(groups), readings)[["at", "start"]].drop_duplicates(
        ignore_index=True
    )


def group_readings(
    groups: Sequence[SummedGroup], readings: pd.DataFrame, intervals: pd.DataFrame
) -> GroupReadings:
    """The sums of groups.

    Args:
        groups: The groups.
        readings: `meter`, `event_time` (datetime64[ns, UTC]), `value` (kW): all readings of the
            groups' meters in these intervals, each once, in any order; others are ignored.
        intervals: From `touched_intervals`.
    """
    memberships = _memberships(groups)
    placed = _placed(memberships, readings).merge(intervals, on=["at", "start"])
    # Addition in a fixed order: the same readings, the same bits.
    placed = placed.sort_values(["start", "at", "meter", "time"], ignore_index=True)
    by_member = placed.groupby(["start", "at", "meter"], as_index=False).agg(
        kw=("value", "sum"), count=("value", "count")
    )
    present = by_member[["start", "at"]].drop_duplicates()
    due = _in_force(present.merge(memberships, on="at"))
    due = due.merge(by_member, on=["start", "at", "meter"], how="left")
    due["is_there"] = due["count"].eq(due["needed"])
    due["kw"] *= due["sign"] / due["needed"]
    due = due.sort_values(["start", "at", "meter"], ignore_index=True)
    sums = due.groupby(["start", "at"], as_index=False).agg(
        value=("kw", "sum"), is_whole=("is_there", "all")
    )
    names = np.array([group.meter.name for group in groups], dtype=object)
    whole = sums[sums["is_whole"]]
    starts = pd.DatetimeIndex(whole["start"].to_numpy(np.int64), tz="UTC")
    found = pd.DataFrame(
        {
            "meter": pd.Series(names[whole["at"].to_numpy(np.intp)], dtype=object),
            "ts": pd.Series(starts),
            "value": pd.Series(whole["value"].to_numpy(np.float64)),
        }
    )
    members = due.assign(group=names[due["at"].to_numpy(np.intp)])
    return GroupReadings(
        found.sort_values(["ts", "meter"], ignore_index=True),
        members[["group", "meter", "start", "is_there"]],
    )


def last_interval(group: SummedGroup, ends: Mapping[str, int]) -> int | None:
    """The start of the last interval that can have a sum, where each meter has a last reading.

    Meters that are no longer in the group at the last reading of all do not count, nor those that
    are not in it yet.

    Args:
        group: The group.
        ends: By meter, the start of its last reading, ns since 1970 UTC.

    Returns:
        ns since 1970 UTC; None where one of them that is or will be in the group has no end.
    """
    known = [ends[one.meter.name] for one in group.members if one.meter.name in ends]
    latest = max(known, default=0)
    members = [one for one in group.members if one.until is None or one.until > latest]
    if not members or any(one.meter.name not in ends for one in members):
        return None
    lasts = [
        ends[one.meter.name] + one.meter.interval_minutes * NS_A_MINUTE
        for one in members
        if one.since is None or one.since <= latest
    ]
    if not lasts:
        return None
    length = group.meter.interval_minutes * NS_A_MINUTE
    last = np.array([min(lasts) - length], dtype=np.int64)
    return int((last - _since_start(last, np.array([length]), group.meter.timezone))[0])


def _memberships(groups: Sequence[SummedGroup]) -> pd.DataFrame:
    """A row a group and meter: `needed` is the number of its readings in an interval."""
    rows = [
        (
            at,
            one.meter.name,
            one.sign,
            group.meter.interval_minutes // one.meter.interval_minutes,
            _BEGINNING if one.since is None else one.since,
            _END if one.until is None else one.until,
            group.meter.interval_minutes * NS_A_MINUTE,
            group.meter.timezone,
        )
        for at, group in enumerate(groups)
        for one in group.members
    ]
    columns = ["at", "meter", "sign", "needed", "since", "until", "length", "zone"]
    return pd.DataFrame(rows, columns=columns)


def _placed(memberships: pd.DataFrame, readings: pd.DataFrame) -> pd.DataFrame:
    """Readings with the groups that they count in, and the `start` of the group's interval."""
    times = readings.assign(time=instants_of(readings["event_time"]))
    rows = times.drop(columns="event_time").merge(memberships, on="meter")
    start = rows["time"].to_numpy(np.int64, copy=True)
    is_shorter = rows["needed"].to_numpy() > 1
    for zone in rows.loc[is_shorter, "zone"].unique():
        chosen = is_shorter & rows["zone"].eq(zone).to_numpy()
        start[chosen] -= _since_start(start[chosen], rows.loc[chosen, "length"].to_numpy(), zone)
    return _in_force(rows.assign(start=start))


def _since_start(times: Ints, lengths: Ints, zone: str) -> Ints:
    """How long (ns) before these instants the intervals begin that contain them.

    Intervals are those of the local clock, as the readings of meters with that interval are.
    """
    return (times + local_shift(times, zone)) % lengths


def _in_force(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows whose meter is in the sum at the start of the interval."""
    return rows[(rows["since"] <= rows["start"]) & (rows["start"] < rows["until"])]
