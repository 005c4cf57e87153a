"""What the page holds in memory says what the lake says, however the lake came to say it."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import ANOMALIES, READINGS
from usage_platform.core.anomalies.anomaly import NUMBERS, find_anomalies
from usage_platform.core.detector.model_timeline import ModelTimeline, score_series
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import Series
from usage_platform.core.time.units import instants_of
from usage_platform.services.page_data import MOST_HELD, YearCache
from usage_platform_tests.core.detector.made_models import (
    NO_MODELS,
    cut_forests,
    model,
    timeline_of,
)
from usage_platform_tests.core.detector.series import library

METER = Meter("m", "America/New_York", 60)
START = pd.Timestamp("2024-01-01T05:00Z")


def readings(count: int, meter: str = "m") -> pd.DataFrame:
    instants, values = library(days=90)
    times = pd.DatetimeIndex(instants[:count]).tz_localize("UTC")
    frame = pd.DataFrame({"meter": meter, "event_time": times, "value": values[:count]})
    return frame.assign(event_date=frame["event_time"].dt.date)


class Clock:
    """Seconds that pass when they are told to."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 10.0
        return self.now


def timeline() -> ModelTimeline:
    forests = [{"m": cut_forests(METER, 390.0 + n, 610.0 + n)} for n in range(2)]
    begins = [START + pd.Timedelta(days=20 * n + 10) for n in range(2)]
    return timeline_of(*(model(f"v{n}", begins[n], forests[n]) for n in range(2)))


@pytest.fixture
def book(lake) -> YearCache:
    return YearCache(LakeReader(lake), timeline, Clock())


def expected(frame: pd.DataFrame, by: ModelTimeline) -> pd.DataFrame:
    own = frame.sort_values("event_time")
    series = Series(instants_of(own["event_time"]), own["value"].to_numpy())
    return score_series("m", series, 0, by)


def assert_like_the_lake(book: YearCache, frame: pd.DataFrame, by: ModelTimeline) -> None:
    power = book.year(METER, None).power
    ordered = frame.sort_values("event_time")
    np.testing.assert_array_equal(power.values, ordered["value"])
    judged = expected(frame, by)
    known = np.isfinite(power.low)
    assert known.sum() == len(judged)
    for name in ("expected", "low", "high") if len(judged) else ():
        np.testing.assert_array_equal(getattr(power, name)[known], judged[name].to_numpy(float))


def test_readings_that_come_batch_by_batch_are_as_if_they_had_come_at_once(lake, write_table, book):
    rows = readings(40 * 24)
    for first, last in ((0, 500), (500, 501), (501, 960)):
        write_table(lake, READINGS, rows[first:last])
        assert_like_the_lake(book, rows[:last], timeline())


def test_a_late_reading_finds_its_place_and_changes_what_comes_after(lake, write_table, book):
    rows = readings(40 * 24)
    late = rows.index == 300
    write_table(lake, READINGS, rows[~late])
    assert_like_the_lake(book, rows[~late], timeline())
    write_table(lake, READINGS, rows[late])
    assert_like_the_lake(book, rows, timeline())


def test_another_model_in_force_judges_anew_from_its_beginning(lake, write_table):
    rows = readings(40 * 24)
    write_table(lake, READINGS, rows)
    in_force = [NO_MODELS, timeline(), ModelTimeline(timeline().manifests[:1], timeline().load)]
    by = iter(in_force)
    book = YearCache(LakeReader(lake), lambda: next(by), Clock())
    for now in in_force:
        assert_like_the_lake(book, rows, now)


def test_readings_that_the_lake_does_not_have_yet_are_judged_as_they_will_be(
    lake, write_table, book
):
    rows = readings(40 * 24)
    write_table(lake, READINGS, rows[:-30])
    instants, values = instants_of(rows["event_time"]), rows["value"].to_numpy()
    assert book.ahead(METER, instants[-30:], values[-30:]) is None  # Nobody looks at it.
    book.year(METER, None)
    by_one = [book.ahead(METER, instants[[at]], values[[at]]) for at in range(-31, 0)]
    assert [len(part) for part in by_one] == [0] + [1] * 30  # The lake has the first one.
    write_table(lake, READINGS, rows[-30:])
    power = book.year(METER, None).power
    for name in ("values", "expected", "low", "high"):
        ahead = np.concatenate([getattr(part, name) for part in by_one])
        np.testing.assert_array_equal(ahead, getattr(power, name)[-30:])


def test_only_the_meter_and_the_year_that_are_asked_for_come(lake, write_table, book):
    write_table(lake, READINGS, pd.concat([readings(24), readings(48, "other")]))
    assert len(book.year(METER, None).power) == 24
    assert len(book.year(Meter("other", METER.timezone, 60), 2024).power) == 48
    assert len(book.year(METER, 2023).power) == 0
    assert book.meters() == ["m", "other"]
    assert book.year(METER, None).years == (2024,)
    assert book.year(METER, 2024).first == date(2024, 1, 1)


def test_an_empty_lake_has_an_empty_year(book):
    year = book.year(METER, None)
    assert len(year.power) == 0
    assert year.anomalies.empty
    assert year.years == year.episodes == ()
    assert book.meters() == []


def test_the_version_changes_with_the_tables_and_with_nothing_else(lake, write_table, book):
    versions = [book.year(METER, None).version]
    write_table(lake, READINGS, readings(24))
    versions += [book.year(METER, None).version, book.year(METER, None).version]
    found = find_anomalies(readings(24), NO_MODELS, MeterRegistry()).anomalies
    row = {"event_time": START, "episode": "e", "direction": "at", "kind": "stuck"}
    numbers = dict.fromkeys(NUMBERS, 1.0)
    odd = pd.DataFrame([{**dict.fromkeys(found.columns), **numbers, **row}])
    write_table(lake, ANOMALIES, odd.assign(meter="m", event_date=START.date()))
    versions.append(book.year(METER, None).version)
    assert [versions.index(version) for version in versions] == [0, 1, 1, 3]
    assert len(book.year(METER, None).anomalies) == 1


def test_the_lake_is_not_asked_again_within_a_second(lake, write_table):
    clock = Clock()
    book = YearCache(LakeReader(lake), timeline, lambda: clock.now)
    before = book.version()
    write_table(lake, READINGS, readings(24))
    assert book.version() == before
    clock()
    assert book.version() != before


def test_no_more_years_are_held_than_fit(lake, write_table, book):
    write_table(lake, READINGS, readings(24))
    for number in range(MOST_HELD + 3):
        book.year(Meter(f"m{number}", METER.timezone, 60), None)
    assert len(book._held) == MOST_HELD
