"""Sums over the hours and anomalies of all meters, by SQL in DuckDB.

Belongs here: the statements; what they return is a row a meter, group or episode. Not here: which
days are summed and kept (`services.fleet_sums`), a user's SQL (`reader`).

Energies are added with compensation (`fsum`, Kahan), so that the order of the rows does not matter
within 1e-9.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.streamed_sql import connected, registered
from usage_platform.adapters.lake.tables import ANOMALIES, USAGE_HOURLY
from usage_platform.core.anomalies.anomaly import WITHDRAWN
from usage_platform.core.time.units import NS_AN_HOUR

_INSTANT = pa.timestamp("us", "UTC")
_HOURS = {
    "meter": pa.string(),
    "start": _INSTANT,
    "event_date": pa.date32(),
    "avg_usage": pa.float64(),
    "n": pa.int32(),
    "expected_n": pa.int32(),
    "energy_kwh": pa.float64(),
    "last_reading": _INSTANT,
}
_EXPECTED = pa.schema(
    [("meter", pa.dictionary(pa.int32(), pa.string())), ("start", _INSTANT), ("kw", pa.float32())]
)
_MEMBERS = pa.schema(
    [
        ("sum", pa.int32()),
        ("meter", pa.string()),
        ("sign", pa.int32()),
        ("since", _INSTANT),
        ("until", _INSTANT),
    ]
)
_COPY = """
CREATE TEMP TABLE hours AS
SELECT
    *,
    date_trunc('hour', start) AS slot,
    start < $hour_end AS in_month,
    start >= $week_start AND start < $hour_end AS in_week,
    energy_kwh IS NOT NULL AS has_energy
FROM stream
WHERE start >= $month_start
"""
_BY_METER = """
SELECT
    h.event_date AS day,
    h.meter AS meter,
    fsum(h.energy_kwh) FILTER (in_month) AS month_kwh,
    fsum(h.energy_kwh) FILTER (in_month AND e.kw IS NOT NULL) AS month_compared,
    fsum(e.kw * h.n / h.expected_n) FILTER (in_month AND has_energy) AS month_expected,
    fsum(h.energy_kwh) FILTER (in_week) AS week_kwh,
    fsum(h.energy_kwh) FILTER (in_week AND e.kw IS NOT NULL) AS week_compared,
    fsum(e.kw * h.n / h.expected_n) FILTER (in_week AND has_energy) AS week_expected,
    coalesce(sum(h.n) FILTER (in_week), 0)::BIGINT AS week_n,
    min(h.start) AS first_hour,
    max(coalesce(h.last_reading, h.start)) AS newest,
    coalesce(list(h.start) FILTER (in_week), []) AS line_start,
    coalesce(list(h.avg_usage::FLOAT) FILTER (in_week), []) AS line_kw
FROM hours h
LEFT JOIN expected e ON e.meter = h.meter AND e.start = h.slot
GROUP BY h.event_date, h.meter
"""
DUE = """
CREATE TEMP VIEW due AS
SELECT m.sum, c.start, count(*) AS meters
FROM members m JOIN clock c
ON (m.since IS NULL OR c.start >= m.since) AND (m.until IS NULL OR c.start < m.until)
GROUP BY m.sum, c.start
"""
"""Of how many meters a sum has an hour."""

THERE = """
CREATE TEMP VIEW there AS
SELECT m.sum, h.slot AS start, fsum(m.sign * h.energy_kwh) AS kwh, count(*) AS meters
FROM members m JOIN hours h ON h.meter = m.meter
AND (m.since IS NULL OR h.slot >= m.since) AND (m.until IS NULL OR h.slot < m.until)
WHERE h.n = h.expected_n
GROUP BY m.sum, h.slot
"""
"""Of how many meters of a sum all readings of an hour are there, and their sum.

The hours of meters are added by `slot`, the hour of UTC in which they begin.
"""

_BY_GROUP = """
SELECT
    (d.start AT TIME ZONE 'UTC')::DATE AS day,
    d.sum AS sum,
    count(*) AS month_hours,
    count(*) FILTER (t.meters = d.meters) AS month_complete,
    fsum(t.kwh) FILTER (t.meters = d.meters) AS month_kwh,
    count(*) FILTER (d.start >= $week_start) AS week_hours,
    count(*) FILTER (d.start >= $week_start AND t.meters = d.meters) AS week_complete,
    fsum(t.kwh) FILTER (d.start >= $week_start AND t.meters = d.meters) AS week_kwh
FROM due d LEFT JOIN there t ON t.sum = d.sum AND t.start = d.start
GROUP BY ALL
"""
_EPISODES = """
SELECT meter, episode, sum(excess_kwh) AS excess_kwh
FROM stream
WHERE event_time >= $since AND coalesce(status, '') <> $withdrawn
GROUP BY meter, episode
"""


@dataclass(frozen=True)
class Spans:
    """The spans of the sums, in whole UTC hours.

    Attributes:
        month_start: The first hour of the longer one.
        week_start: The first hour of the shorter one.
        hour_end: The end of both, exclusive.
    """

    month_start: pd.Timestamp
    week_start: pd.Timestamp
    hour_end: pd.Timestamp


@dataclass(frozen=True, eq=False)
class HourlyPower:
    """Mean power of some meters in each of some hours.

    Attributes:
        meters: Their names.
        start: Start of the first hour of UTC, ns since 1970 UTC.
        kw: Shape (meters, hours), of the hour of each meter's clock that begins in that hour of
            UTC; NaN where there is none.
    """

    meters: Sequence[str]
    start: int
    kw: npt.NDArray[np.float32]


@dataclass(frozen=True)
class SumMember:
    """A meter in a sum.

    Attributes:
        sum: The number of the sum.
        meter: The meter's name.
        sign: 1 if it is added, -1 if it is subtracted.
        since: The first instant, UTC; None without a beginning.
        until: The end, exclusive; None without one.
    """

    sum: int
    meter: str
    sign: int
    since: pd.Timestamp | None
    until: pd.Timestamp | None


@dataclass(frozen=True, eq=False)
class DaySums:
    """Sums of some days.

    Attributes:
        meters: A row a day and meter: `day`, `meter`, energies in kWh (NaN where there is none),
            `week_n` (readings), `first_hour`, `newest`, and the hours of the shorter span with
            their means in kW as the arrays `line_start` and `line_kw`.
        groups: A row a day and sum: `day`, `sum`, hours, complete hours, and the energy of these.
            An hour is complete if each meter of the sum has all of its readings.
    """

    meters: pd.DataFrame
    groups: pd.DataFrame


def day_sums(
    reader: LakeReader,
    days: tuple[date, date],
    spans: Spans,
    expected: HourlyPower,
    members: Sequence[SumMember],
) -> DaySums:
    """Add up the hours of some days, all meters in one pass.

    Args:
        reader: The lake's tables.
        days: The first and the last UTC day, inclusive; only their files are read.
        spans: Of the energies; of hours after them only the newest reading counts.
        expected: What is expected in the hours of these days.
        members: The meters of all sums.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    batches = reader.scan(USAGE_HOURLY, list(_HOURS), between(USAGE_HOURLY, *days))
    given = {name: getattr(spans, name) for name in ("month_start", "week_start", "hour_end")}
    with connected(USAGE_HOURLY) as connection, registered(connection, batches, _HOURS):
        connection.execute(_COPY, given)
        connection.register("expected", _expected_table(expected))
        connection.register("members", members_table(members))
        first = max(pd.Timestamp(days[0], tz="UTC"), spans.month_start)
        end = min(pd.Timestamp(days[1], tz="UTC") + pd.Timedelta(days=1), spans.hour_end)
        connection.register("clock", clock_table(first, end))
        for view in (DUE, THERE):
            connection.execute(view)
        by_meter = connection.sql(_BY_METER).to_arrow_table().to_pandas()
        by_group = connection.sql(_BY_GROUP, params={"week_start": spans.week_start})
        return DaySums(by_meter, by_group.to_arrow_table().to_pandas())


def _expected_table(expected: HourlyPower) -> pa.Table:
    meters, hours = expected.kw.shape
    names = pa.array(expected.meters, pa.string())
    index = np.repeat(np.arange(meters, dtype=np.int32), hours)
    starts = np.tile((expected.start + NS_AN_HOUR * np.arange(hours)) // 1000, meters)
    kw = expected.kw.ravel()
    columns = [
        pa.DictionaryArray.from_arrays(index, names),
        pa.array(starts).cast(_INSTANT),
        pa.array(kw, mask=np.isnan(kw)),
    ]
    return pa.table(columns, schema=_EXPECTED)


def episode_sums(reader: LakeReader, since: pd.Timestamp, last: date) -> pd.DataFrame:
    """The episodes with anomalies from an instant on that were not withdrawn.

    Args:
        reader: The lake's tables.
        since: The instant, UTC.
        last: The last UTC day.

    Returns:
        `meter`, `episode`, `excess_kwh` (from that instant on; NaN where nothing is expected).

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    columns = {
        "meter": pa.string(),
        "event_time": _INSTANT,
        "episode": pa.string(),
        "excess_kwh": pa.float64(),
        "status": pa.string(),
    }
    batches = reader.scan(ANOMALIES, list(columns), between(ANOMALIES, since.date(), last))
    with connected(ANOMALIES) as connection, registered(connection, batches, columns):
        given = {"since": since, "withdrawn": WITHDRAWN}
        return connection.sql(_EPISODES, params=given).to_arrow_table().to_pandas()


def members_table(members: Sequence[SumMember]) -> pa.Table:
    """The members of sums as the table `members` of the statements.

    A local day's first hour may begin within an hour of UTC; it is that one that counts.
    """
    rows = [
        vars(one) | {"since": _utc_hour(one.since), "until": _utc_hour(one.until)}
        for one in members
    ]
    return pa.Table.from_pylist(rows, schema=_MEMBERS)


def _utc_hour(at: pd.Timestamp | None) -> pd.Timestamp | None:
    return None if at is None else at.floor("h")


def clock_table(first: pd.Timestamp, end: pd.Timestamp) -> pa.Table:
    """All hours from one to before another, UTC, as the table `clock` of the statements."""
    hours = pd.date_range(first, end, freq="h", inclusive="left")
    return pa.table({"start": pa.array(hours.as_unit("us"), _INSTANT)})
