"""The page: whole in itself, without a script, and nothing in it is markup but its own."""

from dataclasses import replace
from datetime import date
from html.parser import HTMLParser
from math import isnan

import pandas as pd
import pytest

from usage_platform.adapters.drawing.month_plots import (
    distribution,
    month_map,
    seasons,
    unusual_days,
)
from usage_platform.core.anomalies.episode_summary import standing_episodes
from usage_platform.core.load.month import Month, profile
from usage_platform.core.load.seasons import daily_means, monthly
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.hourly import hourly_from_readings
from usage_platform.core.readings.series import Series
from usage_platform.services.month_report import Picture, Section, page
from usage_platform_tests.core.detector.series import NO_CALENDAR, library

MONTH = Month(date(2024, 2, 1))
METER = Meter("<script>alert(1)</script>", "America/New_York", 60)
INSTANTS, VALUES = library(days=60)
TIMES = pd.DatetimeIndex(INSTANTS).as_unit("ns").tz_localize("UTC")
READINGS = pd.DataFrame({"meter": METER.name, "event_time": TIMES, "value": VALUES})
HOURS = hourly_from_readings(READINGS, MeterRegistry(METER))
PNG = b"\x89PNG\r\n\x1a\n"


class Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))


def anomalies(**more):
    rows = {
        "episode": ["a", "a", "b"],
        "event_time": pd.to_datetime(
            ["2024-02-05T12:05Z", "2024-02-05T12:00Z", "2024-02-07T12:00Z"]
        ),
        "usage": [110.0, 105.0, 107.0],
        "expected": 100.0,
        "expected_low": 90.0,
        "expected_high": 101.0,
        "direction": "above",
        "status": ["told", "told", "withdrawn"],
        "score": [3.0, 1.5, 9.0],
        "kind": ["night_load", "surge", "zero"],
        "explanation": ["<b>much</b>", "some", "none"],
    }
    return pd.DataFrame({**rows, **more})


@pytest.fixture(scope="module")
def section():
    found = profile(Series(INSTANTS, VALUES), MONTH, METER, NO_CALENDAR)
    picture = Picture("A title", "What it shows", PNG)
    months, episodes = monthly(HOURS, METER), standing_episodes(anomalies(), METER)
    return Section(found, months, episodes, [picture], "It knows 168 slots.")


def test_an_episode_is_told_by_its_peak_and_a_withdrawn_one_is_not():
    (found,) = standing_episodes(anomalies(), METER)
    assert found.start == pd.Timestamp("2024-02-05T12:00Z")
    assert (found.readings, found.kind, found.excess_kwh) == (2, "night_load", 15.0)
    (unknown,) = standing_episodes(anomalies(expected=float("nan")), METER)
    assert isnan(unknown.excess_kwh)


def test_a_page_loads_nothing_from_elsewhere_and_runs_nothing(section):
    found = Tags(page(MONTH, [section], 0)).found
    tags = {tag for tag, _ in found}
    assert not tags & {"script", "link", "iframe", "object", "form"}
    sources = [attrs["src"] for tag, attrs in found if tag == "img"]
    assert [source.partition(",")[0] for source in sources] == ["data:image/png;base64"]
    assert not [attrs for _, attrs in found if any(name.startswith("on") for name in attrs)]
    (policy,) = (attrs["content"] for _, attrs in found if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'")
    assert all(attrs.get("alt") for tag, attrs in found if tag == "img")


def test_names_and_explanations_are_text(section):
    text = page(MONTH, [section], 0)
    assert "<h2>&lt;script&gt;alert(1)&lt;/script&gt;</h2>" in text
    assert "&lt;b&gt;much&lt;/b&gt;" in text


def test_what_is_left_out_is_said(section):
    assert "3 more have readings in the tables" in page(MONTH, [section], 3)
    many = pd.concat([anomalies(episode=str(n)) for n in range(40)])
    told = replace(section, episodes=standing_episodes(many, METER))
    assert "10 more are not shown" in page(MONTH, [told], 0)


def test_an_episode_that_ends_in_another_month_is_whole(section):
    times = pd.to_datetime(["2024-02-29T23:00Z", "2024-03-01T06:00Z", "2024-03-01T05:30Z"])
    rows = anomalies(event_time=times, episode="a", status="told", score=1.0)
    (one,) = standing_episodes(rows, METER)
    text = page(MONTH, [replace(section, episodes=[one])], 0)
    assert "<td>Thu 29, 18:00</td><td>Fri 01 Mar, 02:00</td><td>night load</td>" in text
    assert '<td class="number">3</td>' in text


def test_the_month_is_compared_by_mean_power(section):
    text = page(MONTH, [section], 0)
    assert "mean power against the month before" in text
    assert "mean power against a year before" not in text


@pytest.mark.parametrize("days", [60, 32])
def test_each_picture_comes_out_small_also_of_a_month_that_has_just_begun(days):
    count = days * 24
    found = profile(Series(INSTANTS[:count], VALUES[:count]), MONTH, METER, NO_CALENDAR)
    pictures = [month_map(found), distribution(found), unusual_days(found)]
    pictures.append(seasons(daily_means(HOURS.head(count), METER), found))
    for picture in pictures:
        assert picture.startswith(PNG)
        assert 1_000 < len(picture) < 100_000
