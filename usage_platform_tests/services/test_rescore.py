"""Scoring days again finds what scoring all of them found, and what stands there wrongly."""

from datetime import date, timedelta

import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS
from usage_platform.core.anomalies.anomaly import (
    ANOMALY_COLUMNS,
    PUBLISHED,
    WITHDRAWN,
    find_anomalies,
    no_anomalies,
)
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform.core.meters import MeterRegistry
from usage_platform.services import rescore
from usage_platform.services.rescore import rescore_days, rescored, standing
from usage_platform_tests.core.detector.made_models import model, timeline_of
from usage_platform_tests.core.detector.series import DAY, HOURLY, library

REGISTRY = MeterRegistry(HOURLY)
INSTANTS, VALUES = library(days=98)
BEGIN = int(INSTANTS[0]) + 35 * DAY
# UTC days; the night before the first of them is odd.
FIRST, LAST = date(2024, 3, 20), date(2024, 3, 29)
NIGHT = pd.Timestamp("2024-03-19T20:00:00Z")


@pytest.fixture(scope="module")
def timeline() -> ModelTimeline:
    detector = train(INSTANTS, VALUES, HOURLY, TrainingOptions(method=Method.ROBUST_Z), BEGIN)
    return timeline_of(model("v", pd.Timestamp(BEGIN, tz="UTC"), {HOURLY.name: detector}))


@pytest.fixture(scope="module")
def readings() -> pd.DataFrame:
    times = pd.Series(pd.DatetimeIndex(INSTANTS).tz_localize("UTC"))
    odd = (times >= NIGHT) & (times < NIGHT + pd.Timedelta(hours=8))
    values = VALUES + 900 * odd
    values[::101] *= 1.7
    return pd.DataFrame({"meter": HOURLY.name, "event_time": times, "value": values})


@pytest.fixture(scope="module")
def found(readings, timeline) -> pd.DataFrame:
    """All anomalies, found in one go."""
    anomalies = find_anomalies(readings, timeline, REGISTRY).anomalies
    names = own(anomalies)["episode"]
    assert names.nunique() > 3
    # The first of those days goes on with an episode of the day before.
    assert names.iloc[0] == "2024-03-19T20:00Z"
    return anomalies


def own(anomalies):
    days = anomalies["event_time"].dt.date
    return anomalies[(days >= FIRST) & (days <= LAST)].reset_index(drop=True)


@pytest.fixture
def reader(lake, write_table, readings) -> LakeReader:
    write_table(lake, READINGS, readings.assign(event_date=readings["event_time"].dt.date))
    return LakeReader(lake)


@pytest.fixture
def tell(lake, write_table):
    """Put anomalies into the table."""

    def write(rows):
        write_table(lake, ANOMALIES, rows.assign(event_date=rows["event_time"].dt.date))

    return write


def test_days_scored_again_are_as_they_were_and_nothing_is_withdrawn(reader, tell, timeline, found):
    tell(found)
    again, gone = rescored(reader, timeline, REGISTRY, FIRST, LAST)
    pd.testing.assert_frame_equal(again.anomalies, own(found))
    assert again.scored == 24 * 10
    assert gone.empty


def test_what_stands_in_the_table_and_is_no_anomaly_is_withdrawn_of_these_days_only(
    reader, tell, timeline, found
):
    wrong = pd.concat(
        [own(found)[:2].assign(anomaly_id=["x", "y"]), found[:1].assign(anomaly_id="earlier")]
    )
    tell(pd.concat([found, wrong], ignore_index=True))
    again, gone = rescored(reader, timeline, REGISTRY, FIRST, LAST)
    pd.testing.assert_frame_equal(again.anomalies, own(found))
    assert gone["anomaly_id"].tolist() == ["x", "y"]
    assert gone["status"].tolist() == [WITHDRAWN] * 2
    assert gone.columns.tolist() == ANOMALY_COLUMNS


def test_days_that_were_never_scored_get_all_their_anomalies(reader, timeline, found):
    again, gone = rescored(reader, timeline, REGISTRY, FIRST, LAST)
    assert again.anomalies["anomaly_id"].tolist() == own(found)["anomaly_id"].tolist()
    pd.testing.assert_frame_equal(gone, no_anomalies())


def test_what_was_withdrawn_does_not_stand_and_rows_of_the_first_version_do(reader, tell, found):
    pd.testing.assert_frame_equal(standing(reader), no_anomalies())
    statuses = pd.Series([PUBLISHED, WITHDRAWN, None])
    tell(found[:3].reset_index(drop=True).assign(status=statuses))
    stands = standing(reader).sort_values("event_time")["anomaly_id"]
    assert stands.tolist() == found["anomaly_id"].iloc[[0, 2]].tolist()


def test_a_withdrawn_reading_names_no_episode(reader, tell, timeline, found):
    before = found[(found["event_time"] >= NIGHT) & (found["event_time"].dt.date < FIRST)]
    tell(before.assign(status=WITHDRAWN))
    again, _ = rescored(reader, timeline, REGISTRY, FIRST, LAST)
    assert again.anomalies["episode"][0] == "2024-03-20T00:00Z"


@pytest.fixture
def merged(monkeypatch) -> list[pd.DataFrame]:
    """What is merged into `anomalies`, in place of Spark."""
    changes: list[pd.DataFrame] = []
    monkeypatch.setattr(rescore, "merge_rescored", lambda lake, rows, at: changes.append(rows))
    return changes


def test_few_readings_are_in_memory_at_once_however_many_days_and_meters_there_are(
    reader, write_table, timeline, readings, found, merged, monkeypatch
):
    others = [readings.assign(meter=f"meter {number}") for number in range(2)]
    for rows in others:
        write_table(reader.lake, READINGS, rows.assign(event_date=rows["event_time"].dt.date))
    most, read = 1500, []
    rows_of = LakeReader.rows

    def noted(self, table, *args, **options):
        rows = rows_of(self, table, *args, **options)
        read.append((table.name, len(rows)))
        return rows

    monkeypatch.setattr(LakeReader, "rows", noted)
    monkeypatch.setattr(rescore, "_ROWS_AT_ONCE", most)
    said: list[str] = []
    done = rescore_days(reader, timeline, REGISTRY, FIRST, LAST, said.append)
    counts = [count for name, count in read if name == READINGS.name]
    assert len(counts) > 2
    assert max(counts) <= most
    ids = pd.concat(merged)["anomaly_id"]
    assert sorted(ids[pd.concat(merged)["meter"] == HOURLY.name]) == sorted(
        own(found)["anomaly_id"]
    )
    assert not ids.duplicated().any()
    assert done.anomalies == len(ids)
    assert sum(int(line.split(": ")[1].split()[0]) for line in said) == len(ids)


def test_a_day_and_a_meter_that_only_anomalies_has_are_withdrawn(
    reader, tell, timeline, found, merged, monkeypatch
):
    gone_day = pd.Timestamp("2025-01-05T00:00:00Z")
    of_day = own(found)[:1].assign(anomaly_id="of a day", event_time=gone_day)
    of_meter = own(found)[:1].assign(anomaly_id="of a meter", meter="gone")
    tell(pd.concat([found, of_day, of_meter], ignore_index=True))
    monkeypatch.setattr(rescore, "_ROWS_AT_ONCE", 1)
    last = gone_day.date() + timedelta(days=400)
    done = rescore_days(reader, timeline, REGISTRY, FIRST, last, lambda line: None)
    changes = pd.concat(merged)
    withdrawn = changes.loc[changes["status"] == WITHDRAWN, "anomaly_id"]
    assert sorted(withdrawn) == ["of a day", "of a meter"]
    assert done.withdrawn == 2


def test_a_span_without_a_day_changes_nothing(reader, timeline, merged):
    before = FIRST - timedelta(days=4000)
    done = rescore_days(reader, timeline, REGISTRY, before, before, lambda line: None)
    assert (done.scored, done.anomalies, done.withdrawn, merged) == (0, 0, 0, [])
