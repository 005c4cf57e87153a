"""Progress from a checkpoint's files, without a JVM; test_lake_streams reads real ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.kafka_topics import USAGE
from usage_platform.adapters.stream_progress import backlog, committed_offsets


def test_before_the_first_batch_nothing_is_in_the_lake(lake, spark_batch):
    assert committed_offsets(lake, USAGE) == {}
    spark_batch(0, {"0": 5}, finished=False)
    assert committed_offsets(lake, USAGE) == {}


def test_the_newest_finished_batch_counts_and_ten_is_newer_than_nine(lake, spark_batch):
    for number in range(11):
        spark_batch(number, {"0": number, "1": 2 * number})
    spark_batch(11, {"0": 99, "1": 99}, finished=False)
    assert committed_offsets(lake, USAGE) == {0: 10, 1: 20}


@pytest.mark.parametrize(
    ("ends", "done", "expected"),
    [
        ({}, {}, 0),
        ({0: (0, 7)}, {}, 7),
        ({0: (0, 7)}, {0: 7}, 0),
        ({0: (0, 7), 1: (0, 5)}, {0: 6}, 6),
        # What retention took away waits no more.
        ({0: (4, 7)}, {}, 3),
        ({0: (4, 7)}, {0: 2}, 3),
    ],
)
def test_the_backlog_is_what_lies_between_done_and_the_ends(ends, done, expected):
    assert backlog(ends, done) == expected


@given(
    st.dictionaries(
        st.integers(0, 5), st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(0, 9))
    )
)
def test_the_backlog_is_never_less_than_nothing(partitions):
    ends = {p: (low, low + more) for p, (low, more, _) in partitions.items()}
    done = {p: min(at, ends[p][1]) for p, (_, _, at) in partitions.items()}
    assert 0 <= backlog(ends, done) <= sum(high - low for low, high in ends.values())
