import pandas as pd
import pytest

from usage_platform.core.anomalies.anomaly import (
    WITHDRAWN,
    anomaly_id,
    find_anomalies,
    no_anomalies,
)
from usage_platform.core.anomalies.episodes import LastAnomaly
from usage_platform.core.anomalies.published import PublishedAnomalies
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.core.detector.made_models import (
    cut_forests,
    hourly,
    model,
    readings,
    timeline_of,
)

METER = Meter("m", "America/New_York", 60)
START = pd.Timestamp("2024-03-05T10:00:00Z")
HOUR = pd.Timedelta(hours=1)


def at(hour):
    return START + hour * HOUR


def found(*hours, value=500.0, version="v", meter="m"):
    """Anomalies at some hours, as scoring finds them."""
    timeline = timeline_of(model(version, START - HOUR, {meter: cut_forests(METER)}))
    rows = readings(*((meter, at(hour), value) for hour in hours))
    return find_anomalies(rows, timeline, MeterRegistry(METER)).anomalies


@pytest.fixture
def told():
    told = PublishedAnomalies()
    told.add(found(1, 2, 8))
    return told


def said(changes):
    return [
        (int((row["event_time"] - START) / HOUR), row["status"])
        for row in changes.to_dict("records")
    ]


def test_what_is_found_again_is_not_told_again(told):
    assert told.of("m", START.value).changes(found(1, 2, 8)).empty
    assert told.of("m", at(3).value).changes(found(8)).empty


def test_what_is_new_is_told_and_what_is_found_no_more_is_withdrawn(told):
    changes = told.of("m", at(2).value).changes(found(8, 9))
    # Hours 8 and 9 are one episode, whose name was told before.
    assert said(changes) == [(9, "told"), (2, WITHDRAWN)]
    assert changes["anomaly_id"].iloc[1] == anomaly_id("m", at(2), "v")


def test_what_another_model_finds_is_told_after_the_old_one_is_withdrawn(told):
    changes = told.of("m", at(8).value).changes(found(8, version="w"))
    assert said(changes) == [(8, WITHDRAWN), (8, "told")]
    assert changes["model_version"].tolist() == ["v", "w"]
    told.add(changes)
    assert told.of("m", at(8).value).changes(found(8, version="w")).empty


def test_an_anomaly_that_is_another_now_is_told_with_its_id(told):
    changes = told.of("m", at(8).value).changes(found(8, value=999.0))
    assert said(changes) == [(8, "told")]
    assert changes["anomaly_id"].tolist() == [anomaly_id("m", at(8), "v")]


def test_a_withdrawal_of_another_models_anomaly_changes_nothing(told):
    told.add(found(8, version="w").assign(status=WITHDRAWN))
    assert told.of("m", at(9).value).last == LastAnomaly(at(8).value, "2024-03-05T18:00Z")


def test_the_last_odd_reading_is_the_newest_one_that_stands(told):
    assert told.of("m", at(1).value).last is None
    assert told.of("m", at(8).value).last == LastAnomaly(at(2).value, "2024-03-05T11:00Z")
    told.add(found(8).assign(status=WITHDRAWN))
    assert told.of("m", at(9).value).last == LastAnomaly(at(2).value, "2024-03-05T11:00Z")
    assert told.of("other", at(9).value).last is None


def test_episodes_that_reach_beyond_an_instant_are_whole(told):
    whole = told.of("m", at(2).value).continued_by(found(2, 8))
    assert said(whole) == [(1, "told"), (2, "told"), (8, "told")]
    assert said(told.of("m", at(9).value).continued_by(no_anomalies())) == [(8, "told")]
    assert told.of("other", START.value).continued_by(no_anomalies()).equals(no_anomalies())


def test_meters_are_kept_apart(told):
    told.add(found(4, meter="n"))
    assert told.of("m", START.value).changes(found(1, 2, 8)).empty
    assert said(told.of("n", START.value).changes(no_anomalies())) == [(4, WITHDRAWN)]


def test_rows_without_an_expected_value_are_the_same_as_before():
    told = PublishedAnomalies()
    rows = found(1).assign(expected=float("nan"), z=float("nan"))
    told.add(rows)
    assert told.of("m", START.value).changes(rows).empty


def test_readings_that_are_not_odd_are_never_told():
    timeline = timeline_of(model("v", START, {"m": cut_forests(METER)}))
    rows = find_anomalies(hourly(START, [150.0] * 5), timeline, MeterRegistry(METER)).anomalies
    assert PublishedAnomalies().of("m", START.value).changes(rows).empty
