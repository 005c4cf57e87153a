"""Which days are audited, and on which stretch of the topic their events lie."""

from datetime import date

import pandas as pd
import pytest

from usage_platform.core.readings.audit import Stretch, received_between, sampled_days

DAYS = [day.date() for day in pd.date_range("2024-02-27", "2024-03-07")]


def at(clock: str) -> pd.Timestamp:
    return pd.Timestamp(f"2024-03-05T{clock}Z")


def received(**days: tuple[str, str]) -> pd.DataFrame:
    """When the broker received each day's readings; a day is named d5 for March 5."""
    rows = [(date(2024, 3, int(d[1:])), at(a), at(b)) for d, (a, b) in days.items()]
    return pd.DataFrame(rows, columns=["day", "first", "last"])


def test_the_same_seed_draws_the_same_days_and_each_at_most_once():
    drawn = sampled_days(DAYS, 4, seed=7)
    assert drawn == sampled_days(DAYS[::-1], 4, seed=7)
    assert len(set(drawn)) == 4
    assert drawn == sorted(drawn)
    assert set(drawn) < set(DAYS)


@pytest.mark.parametrize("count", [10, 99])
def test_all_days_are_drawn_where_there_are_no_more(count):
    assert sampled_days(DAYS, count, seed=1) == DAYS


def test_only_days_that_are_there_are_drawn_however_far_apart():
    stray = date(1971, 1, 1)
    drawn = {day for seed in range(50) for day in sampled_days([stray, *DAYS], 3, seed)}
    assert drawn == {stray, *DAYS}


def test_a_day_reaches_to_the_rows_of_the_days_beside_it():
    rows = received(d4=("01:00", "02:00"), d5=("02:10", "03:00"), d8=("03:10", "04:00"))
    assert received_between(rows, date(2024, 3, 5)) == Stretch(at("02:00"), at("03:10"))


def test_the_first_and_the_last_day_reach_to_the_ends_of_the_topic():
    rows = received(d4=("01:00", "02:00"), d5=("02:10", "03:00"))
    assert received_between(rows, date(2024, 3, 4)) == Stretch(None, at("02:10"))
    assert received_between(rows, date(2024, 3, 5)) == Stretch(at("02:00"), None)


def test_a_day_without_rows_lies_between_its_neighbours():
    rows = received(d4=("01:00", "02:00"), d6=("02:10", "03:00"))
    assert received_between(rows, date(2024, 3, 5)) == Stretch(at("02:00"), at("02:10"))


def test_days_that_were_received_at_once_are_each_within_their_stretch():
    rows = received(d4=("01:00", "05:00"), d5=("01:10", "04:50"), d6=("01:20", "05:10"))
    found = received_between(rows, date(2024, 3, 5))
    assert found.start <= at("01:10")
    assert found.end >= at("04:50")
