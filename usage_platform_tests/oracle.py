"""The oracle: what the tables must hold, said of the events alone, without the product.

Belongs here: events as tests make them, and the rows of `readings`, `usage_hourly` and `rejects`
that follow from a set of them. `late`, `late_n` and `rev` are left out: they tell how a row came
to be, batch by batch.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY, Lake, LakeTable

RECEIVED = pd.Timestamp("2024-12-01T00:00:00Z")
KEYS = {
    READINGS: ["meter", "event_time"],
    USAGE_HOURLY: ["meter", "start"],
    REJECTS: ["kafka_time", "partition", "offset"],
}
_TIMES = dict.fromkeys(["event_time", "kafka_time"], "datetime64[ns, UTC]")


@dataclass(frozen=True)
class Event:
    """One event of the topic; `reading` (meter, UTC instant, kW) is None where it is no reading."""

    payload: bytes
    reading: tuple[str, pd.Timestamp, float] | None
    offset: int = 0
    partition: int = 0
    kafka_time: pd.Timestamp = RECEIVED


def event(meter: str, ts: str | pd.Timestamp, value: float, **place) -> Event:
    """A good event; `ts` has an offset."""
    ts = pd.Timestamp(ts)
    payload = json.dumps({"meter": meter, "ts": ts.isoformat(), "value": value}).encode()
    return Event(payload, (meter, ts.tz_convert("UTC"), value), **place)


def readings_of(events: Iterable[Event]) -> pd.DataFrame:
    """Of the events for one interval of a meter, the one that the broker appended last."""
    won = {}
    for e in sorted(events, key=lambda e: (e.kafka_time, e.offset, e.partition)):
        if e.reading is not None:
            won[e.reading[:2]] = (*e.reading, e.kafka_time, e.partition, e.offset)
    columns = ["meter", "event_time", "value", "kafka_time", "partition", "offset"]
    frame = pd.DataFrame(won.values(), columns=columns)
    frame = frame.astype({**_TIMES, "value": "float64", "partition": "int32", "offset": "int64"})
    return frame.sort_values(KEYS[READINGS], ignore_index=True)


def hours_of(readings: pd.DataFrame, minutes: Mapping[str, int]) -> pd.DataFrame:
    """Whole milliwatts are added; an hour is final two hours after its start, by its own meter."""
    newest = readings.groupby("meter")["event_time"].max()
    frame = readings.assign(start=readings["event_time"].dt.floor("h"))
    frame["milliwatts"] = np.rint(frame["value"] * 1e6).astype("int64")
    hours = frame.groupby(["meter", "start"], as_index=False).agg(
        total=("milliwatts", "sum"),
        n=("value", "size"),
        min_usage=("value", "min"),
        max_usage=("value", "max"),
        last_reading=("event_time", "max"),
    )
    kw, interval = hours.pop("total") / 1e6, hours["meter"].map(minutes).astype("int64")
    closed_at = hours["start"] + pd.Timedelta(hours=2)
    hours["end"] = hours["start"] + pd.Timedelta(hours=1)
    hours["avg_usage"], hours["energy_kwh"] = kw / hours["n"], kw * interval / 60
    hours["expected_n"] = (60 // interval).astype("int32")
    # All of its meters are read in kW.
    hours["unit"] = None
    hours["is_final"] = closed_at <= hours["meter"].map(newest).astype("datetime64[ns, UTC]")
    return hours.astype({"n": "int32"}).sort_values(KEYS[USAGE_HOURLY], ignore_index=True)


def rejects_of(events: Iterable[Event]) -> pd.DataFrame:
    """Each event that is no reading, as it came."""
    bad = {(e.kafka_time, e.partition, e.offset, e.payload) for e in events if not e.reading}
    frame = pd.DataFrame(bad, columns=[*KEYS[REJECTS], "raw"])
    types = {"kafka_time": _TIMES["kafka_time"], "partition": "int32", "offset": "int64"}
    return frame.astype({**types, "raw": object}).sort_values(KEYS[REJECTS], ignore_index=True)


def tables_of(events: Iterable[Event], minutes: Mapping[str, int]) -> dict[LakeTable, pd.DataFrame]:
    """What the three tables must hold after these events.

    Args:
        events: All that the micro-batch was given, in any order, repeated or not.
        minutes: The interval of each meter.
    """
    events = list(events)
    readings = readings_of(events)
    hours = hours_of(readings, minutes)
    return {READINGS: readings, USAGE_HOURLY: hours, REJECTS: rejects_of(events)}


def rows_in(lake: Lake, table: LakeTable) -> pd.DataFrame:
    """What a table holds, in the order of its key."""
    return LakeReader(lake).rows(table).sort_values(KEYS[table], ignore_index=True)


def assert_table(lake: Lake, table: LakeTable, expected: pd.DataFrame) -> None:
    """The table holds just these rows, to the last bit, each in the partition of its day."""
    there = rows_in(lake, table)
    day = there[{READINGS: "event_time", USAGE_HOURLY: "start", REJECTS: "kafka_time"}[table]]
    assert (there[table.partition] == day.dt.date).all(), table.name
    pd.testing.assert_frame_equal(
        there[expected.columns], expected, check_exact=True, obj=table.name
    )


def assert_right(lake: Lake, events: Iterable[Event], minutes: Mapping[str, int]) -> None:
    """All three tables are what the events say."""
    for table, expected in tables_of(events, minutes).items():
        assert_table(lake, table, expected)
