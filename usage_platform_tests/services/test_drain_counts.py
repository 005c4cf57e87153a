"""What a run read, though Spark remembers only its last batches."""

import json

from hypothesis import given
from hypothesis import strategies as st

from usage_platform.services.drain_counts import events_and_batches


def reports_of(sizes, begin, first_batch):
    """Spark's reports of batches of these sizes, in one partition."""
    made, at = [], begin
    for number, size in enumerate(sizes):
        start, at = at, at + size
        source = {
            "startOffset": json.dumps({"usage": {"0": start}}),
            "endOffset": json.dumps({"usage": {"0": at}}),
            "numInputRows": size,
        }
        made.append({"batchId": first_batch + number, "sources": [source]})
    return made


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=20),
    st.integers(0, 100),
    st.integers(0, 50),
    st.integers(1, 20),
)
def test_events_of_forgotten_batches_count_too(sizes, begin, first_batch, remembered):
    reports = reports_of(sizes, begin, first_batch)[-remembered:]
    counted = events_and_batches(reports, "usage", {0: begin}, first_batch)
    assert counted == (sum(sizes), len(sizes))


def test_a_run_without_a_report_read_nothing():
    assert events_and_batches([], "usage", {0: 5}, 3) == (0, 0)


def test_the_first_batch_of_all_has_no_start():
    (report,) = reports_of([4], 0, 0)
    report["sources"][0]["startOffset"] = None
    assert events_and_batches([report], "usage", {}, 0) == (4, 1)
