"""Which meters a scorer of several restores, by the lake and by what is not in the lake yet."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.readings.validation import READING_COLUMNS
from usage_platform.services.score_homes import homes_of_meters

DAY = pd.Timestamp("2024-03-05T00:00:00Z")
BEGAN = DAY + pd.Timedelta(hours=1)


def events(*rows):
    """Rows of meter, event day, hour of the broker's time, partition."""
    frame = pd.DataFrame(rows, columns=["meter", "day", "hour", "partition"])
    event_time = DAY + pd.to_timedelta(frame["day"], unit="D")
    kafka_time = DAY + pd.to_timedelta(frame["hour"], unit="h")
    times = {"event_time": event_time, "kafka_time": kafka_time, "value": 1.0}
    return frame.assign(**times, offset=range(len(frame)))[READING_COLUMNS]


@pytest.fixture
def homes(lake, write_table):
    def find(in_lake, tail, number):
        table = events(*in_lake)
        write_table(lake, READINGS, table.assign(event_date=table["event_time"].dt.date))
        reader, tail = LakeReader(lake), events(*tail)
        return homes_of_meters(reader, DAY, BEGAN, tail, lambda partition: partition % 2 == number)

    return find


IN_LAKE = [
    ("even", 0, 2, 2),
    ("odd", 0, 2, 3),
    ("moved", 1, 3, 1),
    ("moved", 0, 2, 0),
    ("of an older topic", 0, 0, 1),
    ("moves", 0, 2, 0),
    ("of earlier days", -1, 2, 1),
]
TAIL = [("moves", 0, 5, 1), ("new", 0, 5, 0), ("moved", 0, 2, 0)]


@pytest.mark.parametrize(
    ("number", "own", "others"),
    [
        (0, {"even", "new"}, {"odd": 3, "moved": 1, "moves": 1}),
        (1, {"odd", "moved", "moves"}, {"even": 2, "new": 0}),
    ],
)
def test_a_meter_is_of_the_scorer_of_its_newest_event(homes, number, own, others):
    found = homes(IN_LAKE, TAIL, number)
    # One without an event on this topic is of whoever meets it first.
    assert set(found.own) == own | {"of an older topic"}
    assert found.others == others
    rows = pd.DataFrame({"meter": ["even", "odd", "unknown"]})
    left = [name for name in rows["meter"] if name not in others]
    assert found.without_others(rows)["meter"].tolist() == left


def test_without_a_table_the_events_that_wait_for_it_say_it(lake):
    found = homes_of_meters(LakeReader(lake), DAY, BEGAN, events(("a", 0, 2, 0)), bool)
    assert (found.own, found.others) == ([], {"a": 0})
    nothing = homes_of_meters(LakeReader(lake), DAY, BEGAN, events(), bool)
    assert (nothing.own, nothing.others) == ([], {})
