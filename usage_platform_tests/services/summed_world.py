"""Meters and groups for tests of the sums of groups: events, micro-batches, and what must come out.

Belongs here: sending and ingesting without a JVM, and the sums by hand. Not here: the tests.
"""

import json
import math

import pandas as pd

from usage_platform.adapters.kafka.events import raw_frame
from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.core.fleet.groups_file import parse_groups
from usage_platform.core.fleet.summed_groups import summed_groups
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.messages import usage_messages
from usage_platform.core.readings.validation import RAW_COLUMNS
from usage_platform_tests.topics import put_events, read_events

ZONE = "Asia/Kathmandu"
MINUTES = {"main": 15, "pump": 15, "kitchen": 5}
BEGIN = pd.Timestamp("2024-03-04T18:15Z")
FILE = {
    "sites": [{"name": "Site", "buildings": [{"name": "House", "meters": ["main", "pump"]}]}],
    "virtual": [{"name": "rest", "plus": ["main"], "minus": ["pump", "kitchen"]}],
}
SIGNS = {
    "Site": {"main": 1, "pump": 1},
    "House": {"main": 1, "pump": 1},
    "rest": {"main": 1, "pump": -1, "kitchen": -1},
}
METERS = MeterRegistry(known={name: Meter(name, ZONE, n) for name, n in MINUTES.items()})
GROUPS, _ = summed_groups(parse_groups(FILE, set(MINUTES)), METERS, {})
REGISTRY = METERS.with_groups(one.meter for one in GROUPS)


def readings(hours=6, begin=BEGIN):
    """Readings of all meters, each with a value of its own."""
    rows = [
        (name, begin + n * pd.Timedelta(minutes=minutes), 0.1 * n + minutes / 7 + len(name))
        for name, minutes in MINUTES.items()
        for n in range(hours * 60 // minutes)
    ]
    return pd.DataFrame(rows, columns=["meter", "ts", "value"]).sort_values(["ts", "meter"])


def send(kafka, rows):
    put_events(kafka, usage_messages(rows))


class Ingestion:
    """Micro-batches of the topic into a lake, as Spark's worker writes them."""

    def __init__(self, kafka, lake, registry=REGISTRY):
        self._kafka, self._lake, self._registry, self._done = kafka, lake, registry, 0
        create_tables(lake)

    def run(self):
        messages = read_events(self._kafka, USAGE)
        if messages[self._done :]:
            raw = raw_frame(messages[self._done :])
            assert apply_events(self._lake, self._registry, raw.loc[:, RAW_COLUMNS]).rejects.empty
        self._done = len(messages)


def sums_by_hand(rows):
    """By group and time, the sum of the last readings."""
    last = {(meter, ts): value for meter, ts, value in rows[["meter", "ts", "value"]].values}
    found = {}
    for start in sorted({ts for meter, ts in last if meter != "kitchen"}):
        for group, signs in SIGNS.items():
            terms = []
            for name, sign in signs.items():
                count = 15 // MINUTES[name]
                times = [start + n * pd.Timedelta(minutes=MINUTES[name]) for n in range(count)]
                own = [last.get((name, at)) for at in times]
                terms += [None if value is None else sign * value / count for value in own]
            if None not in terms:
                found[group, start] = math.fsum(terms)
    return found


def published(kafka):
    """The readings of groups on the topic, in their order."""
    events = [json.loads(m.value()) for m in read_events(kafka, USAGE)]
    return [(e["meter"], pd.Timestamp(e["ts"]), e["value"]) for e in events if e["meter"] in SIGNS]
