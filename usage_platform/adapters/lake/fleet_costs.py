"""Sums over the costs of all meters, and anomalies at the prices of their hours, by SQL in DuckDB.

Belongs here: the statements; what they return is a row a meter and currency, or an episode. Not
here: which days are summed and kept (`services.fleet_costs`), energies (`fleet_sums`).

The price of an hour is its cost by its energy, where energy was taken and none was exported: an
amount with export has no single price.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.fleet_sums import Spans
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.streamed_sql import connected, registered
from usage_platform.adapters.lake.tables import ANOMALIES, USAGE_COST
from usage_platform.core.anomalies.anomaly import WITHDRAWN

_INSTANT = pa.timestamp("us", "UTC")
_HOURS = {
    "meter": pa.string(),
    "start": _INSTANT,
    "end": _INSTANT,
    "event_date": pa.date32(),
    "kwh": pa.float64(),
    "export_kwh": pa.float64(),
    "currency": pa.string(),
    "cost": pa.float64(),
}
_ANOMALIES = {
    "meter": pa.string(),
    "event_time": _INSTANT,
    "episode": pa.string(),
    "excess_kwh": pa.float64(),
    "status": pa.string(),
}
_COPY = """
CREATE TEMP TABLE hours AS
SELECT *, cost / kwh AS price
FROM (SELECT *, kwh > 0 AND export_kwh = 0 AS has_price FROM stream WHERE cost IS NOT NULL)
"""
_BY_METER = """
SELECT
    event_date AS day,
    meter,
    currency,
    count(*) AS hours,
    fsum(cost) AS cost,
    coalesce(fsum(cost) FILTER (has_price), 0) AS priced_cost,
    coalesce(fsum(kwh) FILTER (has_price), 0) AS priced_kwh
FROM hours
WHERE start >= $month_start AND start < $hour_end AND event_date >= $first
GROUP BY event_date, meter, currency
"""
_BY_EPISODE = """
WITH anomalies AS (
    SELECT meter, episode, event_time, date_trunc('hour', event_time) AS utc_hour, excess_kwh AS kwh
    FROM stream
    WHERE event_time >= $week_start AND coalesce(status, '') <> $withdrawn
    AND excess_kwh IS NOT NULL AND NOT isnan(excess_kwh)
), parts AS (
    SELECT *, date_trunc('hour', start) AS utc_hour FROM hours
    UNION ALL
    SELECT *, date_trunc('hour', "end") AS utc_hour FROM hours
    WHERE date_trunc('hour', "end") <> "end"
    AND date_trunc('hour', "end") <> date_trunc('hour', start)
)
SELECT
    (min(a.event_time) AT TIME ZONE 'UTC')::DATE AS day,
    a.meter AS meter,
    a.episode AS episode,
    coalesce(sum(a.kwh * h.price) FILTER (h.has_price), 0) AS cost,
    coalesce(sum(a.kwh) FILTER (h.has_price IS NOT TRUE), 0) AS unpriced_kwh,
    bool_or(h.has_price IS NOT TRUE) AS is_estimate
FROM anomalies a LEFT JOIN parts h ON h.meter = a.meter AND h.utc_hour = a.utc_hour
AND a.event_time >= h.start AND a.event_time < h."end"
GROUP BY a.meter, a.episode, (a.event_time AT TIME ZONE 'UTC')::DATE
"""
"""Hours that are none of UTC's lie in two of them, `parts`, so that both sides share a column."""


@dataclass(frozen=True, eq=False)
class DayCosts:
    """Costs of some days.

    Attributes:
        meters: A row a day, meter and currency within the longer span: `day`, `meter`, `currency`,
            `hours` (priced ones), `cost`, and of the hours that have a price `priced_cost` and
            `priced_kwh`.
        episodes: A row a day, meter and episode within the shorter span: `day`, `meter`, `episode`,
            `cost` (excess energy at the prices of its hours), `unpriced_kwh` (excess energy of
            hours without a price), `is_estimate` (whether there are such hours).
    """

    meters: pd.DataFrame
    episodes: pd.DataFrame


def day_costs(
    reader: LakeReader, days: tuple[date, date], spans: Spans, *, has_anomalies: bool
) -> DayCosts:
    """Add up the costs of some days, all meters in one pass.

    Args:
        reader: The lake's tables.
        days: The first and the last UTC day, inclusive; only their files are read.
        spans: Costs are those of the longer span; episodes have anomalies in the shorter one.
        has_anomalies: Whether the days have anomalies; else that table is not read.

    Raises:
        LakeError: When a table cannot be read.
    """
    first = pd.Timestamp(days[0], tz="UTC")
    # An hour that is none of UTC's may reach into the first day from the one before. Where none
    # does, the statistics of that day's files say so.
    since = pc.field("end") > pa.scalar(first.to_pydatetime(), _INSTANT)
    listed = between(USAGE_COST, days[0] - timedelta(days=1), days[1])
    hours = reader.scan(USAGE_COST, list(_HOURS), listed, since)
    month = {"month_start": spans.month_start, "hour_end": spans.hour_end, "first": days[0]}
    with connected(USAGE_COST) as connection:
        with registered(connection, hours, _HOURS):
            connection.execute(_COPY)
        meters = connection.sql(_BY_METER, params=month).to_arrow_table().to_pandas()
        if not has_anomalies:
            return DayCosts(meters, pd.DataFrame(columns=EPISODE_COLUMNS))
        rows = reader.scan(ANOMALIES, list(_ANOMALIES), between(ANOMALIES, *days))
        with registered(connection, rows, _ANOMALIES):
            given = {"week_start": spans.week_start, "withdrawn": WITHDRAWN}
            episodes = connection.sql(_BY_EPISODE, params=given).to_arrow_table().to_pandas()
        return DayCosts(meters, episodes)


METER_COLUMNS = ["day", "meter", "currency", "hours", "cost", "priced_cost", "priced_kwh"]
EPISODE_COLUMNS = ["day", "meter", "episode", "cost", "unpriced_kwh", "is_estimate"]
