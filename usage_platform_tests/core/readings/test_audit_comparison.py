"""The tables against the topic: what is wrong, and what cannot be compared."""

from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from usage_platform.adapters.lake.tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.audit import Audit, TopicSample, audit
from usage_platform.core.readings.validation import admit_all
from usage_platform_tests.oracle import RECEIVED, Event, event, tables_of

METER = Meter("m", "America/New_York", 30)
REGISTRY = MeterRegistry(METER)
DAY = date(2024, 3, 5)
BAD = Event(b"no json", None, offset=4)
EVENTS = [
    event("m", "2024-03-05T12:00Z", 10.0, offset=0),
    event("m", "2024-03-05T12:30Z", 20.0, offset=1),
    event("m", "2024-03-05T13:00Z", 30.0, offset=2),
    event("m", "2024-03-05T12:30Z", 25.0, offset=3),
    BAD,
]


def raw(events: list[Event]) -> pd.DataFrame:
    """Events as they are read from the topic."""
    return pd.DataFrame(
        {
            "topic": "usage",
            "partition": [e.partition for e in events],
            "offset": [e.offset for e in events],
            "kafka_time": pd.Series([e.kafka_time for e in events]).astype("datetime64[ns, UTC]"),
            "key": None,
            "value": [e.payload for e in events],
        }
    )


def sample_of(
    events: list[Event], first: int = 0, ingested: int | None = None, retained: int = 0
) -> TopicSample:
    """All events from an offset on, of a topic of one partition."""
    end = len(events)
    return TopicSample(
        events=raw([e for e in events if e.offset >= first]),
        stretches=pd.DataFrame({"partition": [0], "start": [first], "end": [end]}),
        retained={0: retained},
        ends={0: end},
        ingested={0: end if ingested is None else ingested},
    )


def tables(events: list[Event]) -> dict[str, pd.DataFrame]:
    """What the tables hold after these events, by the oracle."""
    made = tables_of(events, {"m": METER.interval_minutes})
    rejects = made[REJECTS].assign(topic="usage")
    return {"readings": made[READINGS], "hours": made[USAGE_HOURLY], "rejects": rejects}


def audited(sample: TopicSample, held: dict[str, pd.DataFrame]) -> Audit:
    return audit(sample, **held, days=[DAY], registry=REGISTRY, admit=admit_all)


def wrong(found: Audit) -> dict[str, tuple[int, int, int]]:
    """Rows that are missing, too many and different, of each table in which there are any."""
    parts = {"readings": found.readings, "hours": found.hours, "rejects": found.rejects}
    counts = {name: (p.missing, p.extra, p.different) for name, p in parts.items()}
    return {name: count for name, count in counts.items() if any(count)}


def test_tables_that_hold_what_the_topic_says_have_nothing_wrong():
    found = audited(sample_of(EVENTS), tables(EVENTS))
    assert wrong(found) == {}
    assert found.rows_wrong == 0
    # Three readings, two hours, one reject.
    assert found.rows_compared == 6
    assert (found.events, found.not_retained, found.not_read, found.to_redrive) == (5, 0, 0, 0)


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        # The newer event of 12:30 was lost, so the older one's value is there.
        (3, {"readings": (0, 0, 1), "hours": (0, 0, 1)}),
        (2, {"readings": (1, 0, 0), "hours": (1, 0, 0)}),
        (4, {"rejects": (1, 0, 0)}),
    ],
)
def test_an_event_that_the_tables_lost_is_counted_in_each_table(lost, expected):
    held = tables([e for e in EVENTS if e.offset != lost])
    found = audited(sample_of(EVENTS), held)
    assert wrong(found) == expected
    assert found.rows_wrong == sum(map(sum, expected.values()))


def test_a_row_that_no_event_stands_behind_is_too_many():
    stray = event("m", "2024-03-05T18:00Z", 1.0, offset=99)
    found = audited(sample_of(EVENTS), tables([*EVENTS, stray]))
    assert wrong(found) == {"readings": (0, 1, 0), "hours": (0, 1, 0)}


def test_an_hour_that_was_not_recomputed_is_different():
    held = tables(EVENTS)
    stale = held["hours"].assign(avg_usage=held["hours"]["avg_usage"] + [0.5, 0.0])
    found = audited(sample_of(EVENTS), {**held, "hours": stale})
    assert wrong(found) == {"hours": (0, 0, 1)}


def test_readings_of_other_days_are_not_compared():
    other = event("m", "2024-03-06T12:00Z", 1.0, offset=5)
    assert wrong(audited(sample_of([*EVENTS, other]), tables(EVENTS))) == {}


@pytest.mark.parametrize("retained", [0, 1])
def test_a_row_whose_event_was_not_read_or_is_gone_is_left_out_with_its_hour(retained):
    found = audited(sample_of(EVENTS, first=1, retained=retained), tables(EVENTS))
    assert wrong(found) == {}
    assert (found.not_retained, found.not_read) == (retained, 1 - retained)
    # Its neighbour in the same hour is a reading that is compared; the hour is not.
    assert found.readings.compared == 2
    assert found.hours.compared == 1


def test_an_event_that_is_not_ingested_yet_is_not_missed():
    held = tables(EVENTS[:2])
    found = audited(sample_of(EVENTS, ingested=2), held)
    assert wrong(found) == {}
    assert found.readings.compared == 2


def test_an_event_beyond_the_checkpoint_counts_where_its_reading_is_there():
    found = audited(sample_of(EVENTS, ingested=2), tables(EVENTS[:3]))
    assert wrong(found) == {}
    assert found.readings.compared == 3


def test_a_reject_that_is_a_reading_today_waits_to_be_redriven_and_is_not_wrong():
    good_today = event("m", "2024-03-05T15:00Z", 5.0, offset=5)
    events = [*EVENTS, good_today]
    rejected_then = replace(good_today, reading=None)
    found = audited(sample_of(events), tables([*EVENTS, rejected_then]))
    assert wrong(found) == {}
    assert found.to_redrive == 1


def test_an_unread_event_that_came_last_wins_over_one_that_was_read():
    later = event("m", "2024-03-05T13:00Z", 31.0, offset=5)
    events = [*EVENTS, later]
    sample = replace(
        sample_of(EVENTS),
        stretches=pd.DataFrame({"partition": [0], "start": [0], "end": [5]}),
        ends={0: 6},
        ingested={0: 6},
    )
    found = audited(sample, tables(events))
    assert wrong(found) == {}
    assert found.not_read == 1
    earlier = replace(later, kafka_time=RECEIVED - pd.Timedelta(hours=1))
    # A row that must not have won: the event that was read came after it.
    held = tables([*EVENTS[:2], *EVENTS[3:], earlier])
    assert wrong(audited(sample, held)) == {"readings": (0, 0, 1), "hours": (0, 0, 1)}
