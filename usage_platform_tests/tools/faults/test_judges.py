"""The judges of the rounds find what they are there to find."""

from collections import Counter
from itertools import chain

import pandas as pd
import pytest

from usage_platform_tests.tools.faults.events import EventStream
from usage_platform_tests.tools.faults.findings import Findings, compare
from usage_platform_tests.tools.faults.history import Attempt, Record, check
from usage_platform_tests.tools.faults.judge_of_rounds import (
    METER,
    OUTPUTS,
    START,
    expected_outputs,
)
from usage_platform_tests.tools.faults.judge_of_samples import judged_readings
from usage_platform_tests.tools.faults.matrix import CUTS, SIDE_BY_SIDE
from usage_platform_tests.tools.faults.tables import judged_rows

IDS = ["a", "b", "c", "d"]
READ = [Record(("anomaly", 0, offset), name) for offset, name in enumerate(IDS)]


def attempt(*offsets, committed=True):
    places = frozenset(("anomaly", 0, offset) for offset in offsets)
    return Attempt(places, begins=10, ends=20, committed=committed)


def test_all_cuts_are_played_side_by_side():
    assert Counter(chain(*SIDE_BY_SIDE)) == Counter(CUTS)


def test_a_history_of_whole_transactions_is_clean():
    attempts = [attempt(2, 3), attempt(7, 8, committed=False)]
    assert check(IDS, READ, attempts, consumed=20).is_clean


def test_a_record_that_nobody_can_read_is_lost():
    assert check(IDS, READ[1:], [], 20) == Findings(lost=("record a",))


def test_a_record_that_is_there_twice_is_doubled():
    again = Record(("anomaly", 0, 9), "b")
    assert check(IDS, [*READ, again], [], 20) == Findings(doubled=("record b x 2",))


def test_a_record_of_what_was_not_consumed_is_wrong():
    early = Record(("anomaly", 0, 9), "e")
    assert check(IDS, [*READ, early], [], 20) == Findings(wrong=("record e, not expected",))


def test_a_record_of_an_aborted_transaction_must_not_be_read():
    found = check(IDS, READ, [attempt(3, 4, committed=False)], consumed=20)
    [line] = found.wrong
    assert line == "transaction of offsets 10 to 19: aborted, but read: anomaly/0@3"


def test_a_committed_transaction_of_which_a_part_is_missing_is_torn():
    [line] = check(IDS, READ, [attempt(3, 4)], consumed=20).wrong
    assert line == "transaction of offsets 10 to 19: torn, anomaly/0@4 cannot be read"


def test_a_committed_transaction_without_its_offsets_is_torn():
    [line] = check(IDS, READ, [attempt(2, 3)], consumed=10).wrong
    assert line == "transaction of offsets 10 to 19: torn, the group stands at 10"


@pytest.mark.parametrize(
    ("values", "kind"), [([1.0], "lost"), ([1.0, 2.0, 2.0], "doubled"), ([1.0, 9.0], "wrong")]
)
def test_rows_of_a_table_are_compared_by_key_and_value(values, kind):
    def rows(values):
        keys = [min(n, 1) for n in range(len(values))]
        return pd.DataFrame({"meter": "m", "hour": keys, "value": values})

    assert judged_rows("hours", rows([1.0, 2.0]), rows([1.0, 2.0]), 2).is_clean
    found = judged_rows("hours", rows([1.0, 2.0]), rows(values), 2)
    assert len(found.lines) == 1
    assert len(getattr(found, kind)) == 1


@pytest.mark.parametrize(
    ("values", "kind"), [([1.0], "lost"), ([1.0, 2.0, 2.0], "doubled"), ([1.0, 2.1], "wrong")]
)
def test_readings_from_samples_are_compared_by_key_and_value(values, kind):
    keys = [("plug", START), ("plug", START + pd.Timedelta(minutes=5))]
    wanted = dict(zip(keys, [1.0, 2.0], strict=True))
    assert judged_readings("reading", wanted, [*wanted.items()]).is_clean
    found = judged_readings("reading", wanted, list(zip([*keys, keys[1]], values, strict=False)))
    assert len(found.lines) == 1
    assert len(getattr(found, kind)) == 1


def test_findings_of_several_judges_are_told_together():
    both = compare("x", ["a"], []) + compare("y", ["b"], ["b", "b"])
    assert both.lines == ["lost: x a", "doubled: y b x 2"]


def test_every_batch_of_the_rounds_has_something_to_tell_on_each_topic():
    events = EventStream(METER, START)
    for _ in range(5):
        first = len(events.payloads)
        events.in_order(120)
        before, after = (set(expected_outputs(events, n)) for n in (first + 40, first + 80))
        assert before < after
        assert {topic for topic, _ in after} == set(OUTPUTS)
    assert len(set(events.payloads)) < len(events.payloads)


def test_mixed_events_hold_late_corrected_and_bad_ones():
    events = EventStream(METER, START)
    events.mixed(40)
    told = [key for key in events.keys if key is not None]
    assert len(events.readings()) == 40 < len(told)
    assert [at for at, _ in told] != sorted(at for at, _ in told)
    assert len(events.rejects()) == 1
