"""The checks of the tables find what is wrong, and nothing else."""

from datetime import date

import pandas as pd
import pytest

from usage_platform.core.anomalies.anomaly import no_anomalies
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.core.readings.quality import (
    compare_anomalies,
    compare_hours,
    day_counts,
    days_that_lack,
    duplicate_readings,
)
from usage_platform.core.time.local_time import local_day_bounds

REGISTRY = MeterRegistry(Meter()).with_meters([Meter("rome", "Europe/Rome", 15)])
START = pd.Timestamp("2024-03-05T10:00:00Z")


def incomplete_days(hours, registry):
    return days_that_lack(day_counts(hours, registry), registry)


def counted(result):
    return result.compared, result.wrong


def readings(times, meter="a"):
    frame = pd.DataFrame({"meter": meter, "event_time": times, "value": 1.0})
    frame["value"] += range(len(frame))
    return frame.astype({"meter": object, "event_time": "datetime64[ns, UTC]"})


def days_of(first, last, meter="a", minutes=5, zone="America/New_York"):
    start, end = local_day_bounds(first, zone)[0], local_day_bounds(last, zone)[1]
    return readings(pd.date_range(start, end, freq=f"{minutes}min", inclusive="left"), meter)


def hours(frame):
    return hourly_from_readings(frame, REGISTRY)


def anomalies(*ids, version="v1", usage=1.0):
    rows = no_anomalies().reindex(range(len(ids)))
    times = [START + pd.Timedelta(hours=int(i)) for i in ids]
    return rows.assign(
        anomaly_id=list(ids),
        meter="a",
        event_time=pd.to_datetime(pd.Series(times, dtype="datetime64[ns, UTC]")),
        usage=float(usage),
        model_version=version,
    )


def test_a_reading_that_is_there_three_times_is_two_too_many():
    rows = readings([START, START, START, START + pd.Timedelta(minutes=5)])
    assert duplicate_readings(rows) == 2
    assert duplicate_readings(pd.concat([readings([START]), readings([START], "b")])) == 0


@pytest.mark.parametrize(
    ("day", "expected"),
    [(date(2024, 3, 9), 288), (date(2024, 3, 10), 276), (date(2024, 11, 3), 300)],
)
def test_a_day_is_held_against_the_hours_it_has_by_the_clock(day, expected):
    whole = days_of(day - pd.Timedelta(days=1), day + pd.Timedelta(days=1))
    assert incomplete_days(hours(whole), REGISTRY).empty
    noon = local_day_bounds(day, "America/New_York")[0] + pd.Timedelta(hours=12)
    found = incomplete_days(hours(whole[whole["event_time"] != noon]), REGISTRY)
    assert found.to_dict("records") == [
        {"meter": "a", "day": day, "n": expected - 1, "expected_n": expected}
    ]


def test_a_day_without_any_reading_between_others_is_incomplete():
    gap = pd.concat(
        [days_of(date(2024, 3, 4), date(2024, 3, 4)), days_of(date(2024, 3, 7), date(2024, 3, 8))]
    )
    found = incomplete_days(hours(gap), REGISTRY)
    assert found["day"].tolist() == [date(2024, 3, 5), date(2024, 3, 6)]
    assert found["n"].tolist() == [0, 0]


def test_the_first_and_the_last_day_may_be_short():
    frame = days_of(date(2024, 3, 4), date(2024, 3, 6)).iloc[7:-7]
    assert incomplete_days(hours(frame), REGISTRY).empty
    one_day = days_of(date(2024, 3, 4), date(2024, 3, 4)).iloc[:10]
    assert incomplete_days(hours(one_day), REGISTRY).empty


def test_each_meter_has_its_own_clock_and_interval():
    both = pd.concat(
        [
            days_of(date(2024, 3, 30), date(2024, 4, 1), "rome", 15, "Europe/Rome"),
            days_of(date(2024, 3, 30), date(2024, 4, 1), "a"),
        ]
    )
    assert incomplete_days(hours(both), REGISTRY).empty


def test_an_empty_table_has_no_incomplete_day():
    found = incomplete_days(hours(readings([])), REGISTRY)
    assert found.empty
    assert found.columns.tolist() == ["meter", "day", "n", "expected_n"]


def test_hours_that_their_readings_say_are_right_in_any_order():
    frame = days_of(date(2024, 3, 4), date(2024, 3, 4))
    table = hours(frame).sample(frac=1, random_state=1)
    assert counted(compare_hours(table, frame, REGISTRY)) == (24, 0)


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda t: t.assign(avg_usage=t["avg_usage"] + 1e-12), (3, 3)),
        (lambda t: t.assign(is_final=[False, False, False]), (3, 1)),
        (lambda t: t.assign(max_usage=[None, *t["max_usage"][1:]]), (3, 1)),
        (lambda t: t.iloc[1:], (3, 1)),
        (
            lambda t: pd.concat([t, t.iloc[:1].assign(start=t["start"] - pd.Timedelta(days=1))]),
            (4, 1),
        ),
    ],
)
def test_hours_that_differ_lack_or_are_too_many_are_counted(damage, expected):
    frame = readings(pd.date_range(START, periods=36, freq="5min"))
    assert counted(compare_hours(damage(hours(frame)), frame, REGISTRY)) == expected


def test_anomalies_that_both_ways_found_are_right():
    assert counted(compare_anomalies(anomalies("1", "2"), anomalies("2", "1"))) == (2, 0)
    assert counted(compare_anomalies(anomalies(), anomalies())) == (0, 0)


def test_anomalies_that_only_one_way_found_or_that_differ_are_wrong():
    assert counted(compare_anomalies(anomalies("1"), anomalies("1", "2"))) == (2, 1)
    assert counted(compare_anomalies(anomalies("1", "2"), anomalies("2"))) == (2, 1)
    assert counted(compare_anomalies(anomalies("1"), anomalies("1", usage=2))) == (1, 1)


def test_a_moment_that_another_model_judged_is_left_out():
    newer = anomalies("1", version="v2").assign(anomaly_id="9")
    result = compare_anomalies(anomalies("1", "2"), pd.concat([newer, anomalies("2")]))
    assert counted(result) == (1, 0)
