"""Readings of groups: each published once, whatever is killed, and corrected by late readings."""

from contextlib import closing

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, Lake
from usage_platform.services import score_fencing, sum_groups
from usage_platform.services.offset_marks import OtherLakeError
from usage_platform.services.sum_groups import GroupSums, SumsFencedError
from usage_platform_tests.services.killed_producer import PLACES, KilledError, killed_at
from usage_platform_tests.services.summed_world import (
    BEGIN,
    GROUPS,
    SIGNS,
    Ingestion,
    published,
    readings,
    send,
    sums_by_hand,
)

pytestmark = pytest.mark.kafka
A_DAY = pd.Timedelta(days=1)


@pytest.fixture
def ingest(kafka, lake):
    return Ingestion(kafka, lake).run


@pytest.fixture
def make(kafka, lake):
    """Summers, closed after the test."""
    made = []

    def summer(lake=lake):
        made.append(GroupSums(kafka, LakeReader(lake)))
        return made[-1]

    yield summer
    for one in made:
        one.close()


def tick(summer, seconds=60.0, groups=GROUPS):
    return summer.tick(groups, seconds)


def assert_published_once(kafka, rows):
    found, expected = published(kafka), sums_by_hand(rows)
    assert len(found) == len(expected)
    assert {(meter, ts): value for meter, ts, value in found} == pytest.approx(expected, abs=1e-9)


def test_each_interval_is_published_once_and_read_back_by_every_table(kafka, lake, ingest, make):
    rows = readings()
    send(kafka, rows)
    ingest()
    result = tick(make())
    assert_published_once(kafka, rows)
    assert (result.readings, result.groups) == (3 * 24, set(SIGNS))
    assert result.is_caught_up
    ingest()
    hours = LakeReader(lake).rows(USAGE_HOURLY)
    assert set(hours.loc[hours["n"] == hours["expected_n"], "meter"]) >= set(SIGNS)
    again = make()
    assert tick(again).readings == tick(again).readings == 0, "what it publishes leads to no more"


def test_a_late_and_a_corrected_reading_correct_the_sums_after_a_restart_too(kafka, ingest, make):
    rows = readings()
    late = rows[(rows["meter"] == "pump") & (rows["ts"] == BEGIN)]
    send(kafka, rows.drop(late.index))
    ingest()
    result = tick(make())
    assert result.incomplete == 3
    assert [(one.group, one.meter) for one in result.missing] == []
    ingest()
    wrong = rows[(rows["meter"] == "kitchen")].iloc[[30]].assign(value=99.0)
    send(kafka, pd.concat([late, wrong]))
    before = len(published(kafka))
    ingest()
    tick(make())
    last = {(meter, ts): value for meter, ts, value in published(kafka)}
    assert last == pytest.approx(sums_by_hand(pd.concat([rows, wrong])), abs=1e-9)
    assert len(published(kafka)) == before + 3 + 1


def test_a_missing_meter_is_told_once_and_never_counted_as_0(kafka, ingest, make):
    rows = readings()
    is_gone = (rows["meter"] == "pump") & (rows["ts"] >= BEGIN + pd.Timedelta(hours=2))
    summer = make()
    told = []
    for hour in range(6):
        begin = BEGIN + pd.Timedelta(hours=hour)
        now = (rows["ts"] >= begin) & (rows["ts"] < begin + pd.Timedelta(hours=1))
        send(kafka, rows[now & ~is_gone])
        ingest()
        told += tick(summer).missing
    assert_published_once(kafka, rows[~is_gone])
    assert sorted((one.group, one.meter) for one in told) == [
        (name, "pump") for name in sorted(SIGNS)
    ]
    assert {one.start for one in told} == {(BEGIN + pd.Timedelta(hours=2)).value}


def test_history_is_summed_day_by_day_over_ticks_and_restarts(kafka, ingest, make):
    rows = pd.concat([readings(begin=BEGIN + n * A_DAY) for n in range(4)])
    send(kafka, rows)
    ingest()
    ticks = [tick(make(), seconds=0)]
    while not ticks[-1].is_caught_up:
        ticks.append(tick(make(), seconds=0))
    assert sum(one.readings for one in ticks) == len(sums_by_hand(rows))
    assert len(ticks) > 4
    assert_published_once(kafka, rows)


def test_a_group_that_is_new_gets_its_history_and_others_nothing_twice(kafka, ingest, make):
    rows = readings()
    send(kafka, rows)
    ingest()
    tick(make(), groups=GROUPS[:2])
    ingest()
    assert tick(make()).groups == {"rest"}
    assert_published_once(kafka, rows)


def test_a_position_whose_version_is_gone_leads_to_nothing_twice(kafka, ingest, make, monkeypatch):
    rows = readings()
    send(kafka, rows)
    ingest()
    tick(make())
    ingest()
    monkeypatch.setattr(sum_groups, "files_of", lambda lake, version: None)
    assert tick(make()).readings == 0
    assert_published_once(kafka, rows)


@pytest.mark.parametrize("place", PLACES)
def test_what_is_killed_in_a_transaction_is_neither_lost_nor_doubled(
    kafka, ingest, make, monkeypatch, place
):
    rows = readings()
    send(kafka, rows.iloc[:100])
    ingest()
    tick(make())
    ingest()
    send(kafka, rows.iloc[100:])
    ingest()
    with monkeypatch.context() as patch:
        patch.setattr(score_fencing, "Producer", killed_at(place))
        dying = make()
        with pytest.raises(KilledError):
            tick(dying)
    tick(make())
    assert_published_once(kafka, rows)


def test_of_two_summers_the_older_one_can_commit_nothing_more_and_says_so(kafka, ingest, make):
    rows = readings()
    send(kafka, rows.iloc[:100])
    ingest()
    older = make()
    tick(older)
    newer = make()
    send(kafka, rows.iloc[100:])
    ingest()
    with pytest.raises(SumsFencedError, match=r"^another process sums[^\n]+$"):
        tick(older)
    tick(newer)
    assert_published_once(kafka, rows)


def test_groups_are_summed_for_one_lake_only(kafka, ingest, make, tmp_path):
    send(kafka, readings())
    ingest()
    tick(make())
    with pytest.raises(OtherLakeError, match=f"the events of {USAGE}"):
        make(Lake(str(tmp_path / "other")))


def test_without_a_table_nothing_is_committed(kafka, lake, make):
    with closing(make()) as summer:
        result = summer.tick(GROUPS, 1.0)
    assert (result.readings, result.is_caught_up) == (0, True)
    assert not LakeReader(lake).exists(READINGS)
