"""A busy topic in memory, and how a test makes any of it a batch.

Two meters, both changes of the clocks, and all that may happen to an event on its way.
"""

from datetime import date

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.usage_events import apply_events
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.validation import RAW_COLUMNS
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform_tests.oracle import RECEIVED, Event, event

LIBRARY, ANNEX = Meter("library"), Meter("annex", "Europe/Rome", 15)
REGISTRY = MeterRegistry(LIBRARY).with_meters([ANNEX])
MINUTES = {"library": 5, "annex": 15, "shed": 5}
SPRING, AUTUMN = date(2024, 3, 10), date(2024, 11, 3)


def appended(payloads):
    """The events with their places, five in each millisecond of the broker's clock."""
    return [
        Event(e.payload, e.reading, n, 0, RECEIVED + pd.Timedelta(milliseconds=n // 5))
        for n, e in enumerate(payloads)
    ]


def apply(lake, events):
    """Apply the events as one batch."""
    frame = pd.DataFrame(
        {
            "topic": "usage",
            "partition": np.array([e.partition for e in events], dtype="int32"),
            "offset": np.array([e.offset for e in events], dtype="int64"),
            "kafka_time": pd.Series([e.kafka_time for e in events]).astype("datetime64[ns, UTC]"),
            "key": [b""] * len(events),
            "value": [e.payload for e in events],
        }
    )
    apply_events(lake, REGISTRY, frame[RAW_COLUMNS])


def busy_topic():
    """Two meters over both changes of the clocks: repeated, corrected, late, out of order, bad."""
    rng = np.random.default_rng(7)
    good = []
    for meter, day in ((LIBRARY, SPRING), (LIBRARY, AUTUMN), (ANNEX, SPRING)):
        start, end = local_day_bounds(day, meter.timezone)
        times = pd.date_range(start, end, freq=f"{meter.interval_minutes}min", inclusive="left")
        local = times.tz_convert(meter.timezone)
        values = rng.random(len(local)).tolist()
        good += [event(meter.name, ts, v) for ts, v in zip(local, values, strict=True)]
    late = [n for n in range(len(good)) if n % 23 == 0]
    order = [n for n in range(len(good)) if n % 23]
    order = [n for _, n in sorted((n + rng.normal(0, 20), n) for n in order)] + late
    topic = [good[n] for n in order]
    again = [good[int(n)] for n in rng.integers(0, len(good), 60)]
    corrected = [
        event(good[int(n)].reading[0], good[int(n)].reading[1], 1000 + float(n))
        for n in rng.integers(0, len(good), 60)
    ]
    bad = [Event(b"not json %d" % n, None) for n in range(15)]
    for extra in (*again, *corrected, *bad):
        topic.insert(int(rng.integers(0, len(topic))), extra)
    return with_ties(appended(topic))


def with_ties(events):
    """With readings that came twice in one millisecond, at one offset of two partitions.

    And with rejects at the offsets of others: the topic was made anew an hour later.
    """
    noon = pd.Timestamp("2024-03-10T12:00:00Z")
    first, last = [], []
    for n in range(8):
        at = noon + pd.Timedelta(minutes=5 * n)
        tied = [
            event("shed", at, float(p), partition=p, offset=10**6, kafka_time=RECEIVED)
            for p in (0, 1)
        ]
        anew = [
            Event(b"made anew", None, 10**7 + n, 0, RECEIVED + pd.Timedelta(hours=hours))
            for hours in (0, 1)
        ]
        first += [tied[n % 2], anew[0]]
        last += [tied[1 - n % 2], anew[1]]
    return [*first, *events, *last]
