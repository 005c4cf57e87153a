"""How many scorers there are, what becomes of one that fails, and when their division ends."""

from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.processes.companion import CompanionEndedError
from usage_platform.services import divided_scorers
from usage_platform.services.divided_scorers import WHOLE_SECONDS, DividedScorers
from usage_platform.services.score_division import Division, Share, entered
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_meters import MeterClaims, OwnMeters, SharedMeterError
from usage_platform.services.score_process import ScorerProcessError
from usage_platform.services.score_result import TickResult, merged
from usage_platform.services.tick_request import TickRequest

KAFKA = KafkaSettings("b:1")


@pytest.fixture
def world(monkeypatch):
    """A topic, a clock, and scorers that do as they are told."""
    told = SimpleNamespace(topic=("id", 4), now=1_000.0, made=[], closed=[], errors={}, names=0)
    told.begins = []

    class FakeScorer:
        def __init__(self, kafka, reader, share, claim=None):
            if not share.division.name:
                assert share.number == 0
                if told.begins:
                    raise told.begins.pop()
                told.names += 1
                division = Division(str(told.names), share.division.scorers, 4)
                share = Share(share.number, division)
            self.share, self.claim = share, claim
            told.made.append((share.number, share.division.scorers, share.division.name))

        def tick(self, *rest):
            number = self.share.number
            if number in told.errors:
                raise told.errors[number]
            return TickResult(events=10 + number, lag=number, offsets={number: 1}, seconds=number)

        def close(self):
            told.closed.append(self.share.number)

    monkeypatch.setattr(divided_scorers, "Scorer", FakeScorer)
    monkeypatch.setattr(divided_scorers, "ScorerProcess", FakeScorer)
    monkeypatch.setattr(divided_scorers, "described_topic", lambda kafka, name: told.topic)
    monkeypatch.setattr(divided_scorers, "scoring_lag", lambda kafka: 99)
    monkeypatch.setattr(divided_scorers, "time", SimpleNamespace(monotonic=lambda: told.now))
    return told


def made(most=3):
    return DividedScorers(KAFKA, LakeReader(Lake("")), most)


def tick(scorers):
    return scorers.tick(TickRequest(None, None, 1.0))


def test_there_are_never_more_scorers_than_partitions_and_their_results_are_one(world):
    scorers = made()
    result = tick(scorers)
    assert world.made == [(0, 3, "1"), (1, 3, "1"), (2, 3, "1")]
    assert (result.events, result.lag, result.seconds) == (33, 3, 2)
    assert result.offsets == {0: 1, 1: 1, 2: 1}
    tick(scorers)
    assert len(world.made) == 3
    world.topic = ("id", 2)
    assert tick(made()).events == 21


def test_with_one_scorer_or_one_partition_there_is_one_for_all(world):
    result = tick(made(most=1))
    world.topic = ("id", 1)
    assert tick(made()) == result
    assert world.made == [(0, 1, "1"), (0, 1, "2")]


@pytest.mark.parametrize("topic", [("id", 2), ("id", 5), ("another", 4)])
def test_another_topic_or_other_partitions_begin_a_new_division_where_the_numbers_change(
    world, topic
):
    scorers = made(most=5)
    tick(scorers)
    world.topic = topic
    tick(scorers)
    assert sorted(world.closed) == [0, 1, 2, 3]
    assert [one for one in world.made if one[2] == "2"] == [
        (number, topic[1], "2") for number in range(topic[1])
    ]


def test_one_that_fails_is_replaced_in_its_division_and_the_others_go_on(world):
    scorers = made()
    world.errors = {1: OSError("disk full")}
    result = tick(scorers)
    assert (result.events, result.lag) == (10 + 12, 99)
    assert result.notice == (
        "scorer 2 of 3 begins again at the next tick, nothing is lost or doubled: disk full"
    )
    assert world.closed == [1]
    world.errors = {}
    assert (tick(scorers).events, tick(scorers).notice) == (33, "")
    assert world.made[3:] == [(1, 3, "1")]


@pytest.mark.parametrize(
    ("error", "has_trace"),
    [
        (LakeError("readings: gone"), False),
        (CompanionEndedError("its process 7 ended by signal 9"), False),
        (ScorerProcessError("KeyError"), False),
        (KeyError("meter"), True),
    ],
)
def test_a_failure_that_may_happen_is_logged_in_one_line_and_a_mistake_where_it_is(
    world, caplog, error, has_trace
):
    world.errors = {1: error}
    tick(made())
    [logged] = caplog.records
    assert logged.getMessage() == f"scorer 2 of 3 failed: {error}"
    assert bool(logged.exc_info) == has_trace


def test_a_division_that_could_not_begin_begins_at_the_next_tick(world):
    scorers = made()
    world.begins = [OSError("no broker")]
    with pytest.raises(OSError, match=r"^no broker$"):
        tick(scorers)
    assert world.made == []
    assert tick(scorers).events == 33
    assert world.made == [(0, 3, "1"), (1, 3, "1"), (2, 3, "1")]


def test_only_the_first_scorer_begins_a_division():
    share, unused = Share(1, Division(scorers=3)), cast("Any", None)
    with pytest.raises(ValueError, match=r"^scorer 2 of 3 would begin a division: "):
        entered(share, KAFKA, unused, unused, "lake")


def test_where_all_fail_or_another_division_has_begun_the_tick_fails(world):
    world.errors = {n: OSError(f"disk {n}") for n in range(3)}
    with pytest.raises(OSError, match=r"^disk 0$"):
        tick(made())
    world.errors = {2: ScorerFencedError()}
    with pytest.raises(ScorerFencedError):
        tick(made())


def test_a_meter_of_two_scorers_leaves_all_to_one_for_an_hour(world):
    scorers = made()
    world.errors = {2: SharedMeterError("m", 2, 0)}
    result = tick(scorers)
    notice = (
        "one scorer scores all partitions for an hour: events of meter m are in partitions 0 and 2 "
        "of the topic usage, which two scorers have: give all events of a meter one key and "
        "one partitioner"
    )
    assert (result.events, result.notice) == (21, notice)
    assert sorted(world.closed) == [0, 1, 2]
    world.errors = {}
    world.now += WHOLE_SECONDS - 1
    assert (tick(scorers).events, tick(scorers).notice) == (10, notice)
    world.now += 1
    assert (tick(scorers).events, tick(scorers).notice) == (33, "")
    assert [one[1] for one in world.made] == [3, 3, 3, 1, 3, 3, 3]


def rows(*pairs):
    return pd.DataFrame(pairs, columns=["meter", "partition"])


def test_a_meter_is_of_the_scorer_that_claims_it_first_and_for_good():
    claims = MeterClaims()
    first, second = (
        OwnMeters(lambda meters, number=number: claims.claim(number, meters)) for number in range(2)
    )
    first.take(rows(("a", 0), ("b", 2), ("a", 2)))
    second.take(rows(("c", 1)))
    with pytest.raises(SharedMeterError, match=r"^events of meter a are in partitions 0 and 3 "):
        second.take(rows(("c", 1), ("a", 3)))
    assert first.may_report("a", 0)
    assert not second.may_report("b", 1)
    assert second.may_report("d", 1)
    assert not first.may_report("d", 0)
    # Its successor has it, and no other.
    claims.claim(0, {"a": 0})
    with pytest.raises(SharedMeterError):
        second.take(rows(("a", 1)))


def test_a_meter_that_was_not_restored_is_refused_though_nobody_has_claimed_it():
    own = OwnMeters(lambda meters: {})
    own.leave_out({"a": 3})
    own.take(rows(("b", 0)))
    with pytest.raises(SharedMeterError, match=r"^events of meter a are in partitions 3 and 0 "):
        own.take(rows(("b", 0), ("a", 0)))


def test_results_of_several_scorers_are_counted_together():
    early, late = pd.Timestamp("2024-03-05T00:00Z"), pd.Timestamp("2024-03-06T00:00Z")
    one = TickResult(
        *range(1, 11), newest=late, seconds=2.0, offsets={0: 5}, versions={"v"}, notice="first"
    )
    other = TickResult(
        *[10] * 10, newest=early, waits_for=late, seconds=1.0, offsets={1: 6}, versions={"w"}
    )
    both = merged([one, other, TickResult(notice="third")])
    assert both == TickResult(
        *range(11, 21),
        newest=late,
        waits_for=late,
        seconds=2.0,
        offsets={0: 5, 1: 6},
        versions={"v", "w"},
        notice="first; third",
    )
