"""Scorers that divide the partitions: together they publish what one does, however they change."""

import os
import signal
from types import SimpleNamespace

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services.divided_scorers import DividedScorers
from usage_platform.services.progress import scoring_lag
from usage_platform.services.score import Scorer
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_meters import MeterClaims, SharedMeterError
from usage_platform.services.score_transaction import ScorerTransactions
from usage_platform_tests.services.score.four_meters import (
    METERS,
    assert_all_told_once,
    divided,
    four_meters,
    four_meters_model,
    placed,
    told_of_all,
)
from usage_platform_tests.services.score.hourly_meter import HOURS, standing, tick

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def timeline(tmp_path_factory) -> ModelTimeline:
    store = ModelStore(LakeFiles(str(tmp_path_factory.mktemp("models"))))
    store.save(four_meters_model())
    return ModelTimeline(store.candidates(), store.load)


@pytest.fixture(scope="module")
def live() -> pd.DataFrame:
    return four_meters()


@pytest.fixture(scope="module")
def expected(live, timeline) -> SimpleNamespace:
    return told_of_all(live, timeline)


@pytest.fixture
def kafka(fresh_topics):
    return fresh_topics(partitions=4)


def is_fenced_or_idle(scorer, timeline):
    try:
        return tick(scorer, timeline).events == 0
    except ScorerFencedError:
        return True


def tick_all(scorers, timeline):
    return [tick(one, timeline) for one in scorers]


def test_whatever_divisions_follow_each_other_the_messages_are_those_of_one_scorer(
    kafka, put, read_all, lake, timeline, live, expected
):
    """Each division ends before its last scorer has scored; its scorers come back later."""
    events, gone = placed(live), []
    count = len(events) // 5
    for turn, number in enumerate((1, 2, 1, 4, 2)):
        put(kafka, events[turn * count : (turn + 1) * count])
        scorers = divided(kafka, lake, number)
        for one in gone:
            assert is_fenced_or_idle(one, timeline)
            one.close()
        gone = scorers
        tick_all(scorers[: max(number - 1, 1)], timeline)
    tick_all(scorers, timeline)
    assert scoring_lag(kafka) == 0
    assert_all_told_once(kafka, read_all, expected)


def test_each_scorer_restores_its_own_meters_only(kafka, put, lake, timeline, live):
    put(kafka, placed(live[:400]))
    tick_all(divided(kafka, lake, 1), timeline)
    put(kafka, placed(live[400:800]))
    scorers = divided(kafka, lake, 2)
    assert [one.events for one in tick_all(scorers, timeline)] == [200, 200]
    held = [one._memory for one in scorers]
    assert [one.history.meters() for one in held] == [["a", "c"], ["b", "d"]]
    assert [len(one.history.of(one.history.meters()[0]).instants) for one in held] == [200, 200]
    assert [set(one.published._by_meter) for one in held] == [{"a", "c"}, {"b", "d"}]


def test_a_scorer_that_joins_a_former_division_late_ends_and_the_present_one_goes_on(
    kafka, put, read_all, lake, timeline, live, expected
):
    put(kafka, placed(live))
    late = divided(kafka, lake, 2)[1].share
    claims, present = MeterClaims(), divided(kafka, lake, 3)
    with pytest.raises(ScorerFencedError):
        Scorer(kafka, LakeReader(lake), late, lambda meters: claims.claim(1, meters))
    # It took the id from the present scorer 1, whose successor takes it back.
    with pytest.raises(ScorerFencedError):
        tick(present[1], timeline)
    again = Scorer(
        kafka, LakeReader(lake), present[1].share, lambda meters: claims.claim(1, meters)
    )
    assert [one.events for one in tick_all([present[0], again, present[2]], timeline)] == [
        2 * HOURS,
        HOURS,
        HOURS,
    ]
    assert_all_told_once(kafka, read_all, expected)


def test_a_division_that_is_killed_while_it_begins_leaves_none_that_could_score_beside_the_next(
    kafka, put, read_all, lake, timeline, live, expected, monkeypatch
):
    put(kafka, placed(live))
    former = divided(kafka, lake, 4)

    def killed(transactions):
        if transactions.number:
            raise SystemExit
        take_over(transactions)

    take_over = ScorerTransactions.take_over
    with monkeypatch.context() as patch:
        patch.setattr(ScorerTransactions, "take_over", killed)
        with pytest.raises(SystemExit):
            divided(kafka, lake, 2)
    assert tick(former[3], timeline).events == HOURS
    [whole] = divided(kafka, lake, 1)
    for one in former[:3]:
        with pytest.raises(ScorerFencedError):
            tick(one, timeline)
    assert tick(whole, timeline).events == 3 * HOURS
    assert_all_told_once(kafka, read_all, expected)


def test_a_meter_in_the_partitions_of_two_scorers_is_refused_and_then_scored_by_one(
    kafka, put, read_all, lake, timeline, live, expected
):
    """As where a producer gives no key: the meter's readings lie in two partitions in turn."""
    messages = usage_messages(live)
    spread = [
        (n // 4 % 2 if live["meter"][n] == "a" else METERS.index(live["meter"][n]), message)
        for n, message in enumerate(messages)
    ]
    put(kafka, spread)
    first, second = divided(kafka, lake, 2)
    assert tick(first, timeline).lag == 0
    with pytest.raises(SharedMeterError, match=r"^events of meter a are in partitions 0 and 1 .*"):
        tick(second, timeline)
    assert scoring_lag(kafka) == HOURS + HOURS // 2 + HOURS
    [whole] = divided(kafka, lake, 1)
    assert tick(whole, timeline).lag == 0
    pd.testing.assert_frame_equal(standing(kafka, read_all), expected.anomalies)


def test_processes_score_as_one_scorer_and_a_killed_one_is_replaced(
    kafka, put, read_all, lake, timeline, live, expected
):
    events = placed(live)
    scorers = DividedScorers(kafka, LakeReader(lake), most=2)
    try:
        put(kafka, events[:400])
        result = tick(scorers, timeline)
        assert (result.events, result.lag, result.notice) == (400, 0, "")
        assert result.offsets == dict.fromkeys(range(4), 100)
        put(kafka, events[400:800])
        os.kill(scorers._scorers[1]._process.pid, signal.SIGKILL)
        result = tick(scorers, timeline)
        assert (result.events, result.lag) == (200, 200)
        assert result.notice.startswith("scorer 2 of 2 begins again at the next tick")
        assert "\n" not in result.notice
        put(kafka, events[800:])
        result = tick(scorers, timeline)
        assert (result.events, result.lag, result.notice) == (360, 0, "")
    finally:
        scorers.close()
    assert_all_told_once(kafka, read_all, expected)


def test_where_a_meter_moves_to_another_partition_one_process_scores_all_for_a_while(
    kafka, put, read_all, lake, timeline, live, expected
):
    """As where partitions are added: from some event on a meter's events have another place."""
    moved = [
        (1 if place == 0 and n >= 500 else place, event)
        for n, (place, event) in enumerate(placed(live))
    ]
    scorers = DividedScorers(kafka, LakeReader(lake), most=2)
    try:
        put(kafka, moved[:500])
        assert tick(scorers, timeline).lag == 0
        put(kafka, moved[500:])
        result = tick(scorers, timeline)
        assert result.notice.startswith("one scorer scores all partitions for an hour: ")
        assert tick(scorers, timeline).lag == 0
        # The hour is over; the meter belongs to the scorer of its newest event.
        scorers._whole_until = 0.0
        put(kafka, moved[-4:])
        result = tick(scorers, timeline)
        assert (result.lag, result.anomalies, result.notice) == (0, 0, "")
        assert scorers._division.scorers == 2
    finally:
        scorers.close()
    assert_all_told_once(kafka, read_all, expected)
