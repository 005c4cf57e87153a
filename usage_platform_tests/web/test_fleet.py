"""The page of all meters over HTTP."""

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles, save_meters
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_COST, USAGE_HOURLY, Lake
from usage_platform.core.meters import MeterRegistry
from usage_platform.web.live import silences
from usage_platform.web.live_feed import News
from usage_platform_tests.conftest import table_writer
from usage_platform_tests.web.conftest import METER, OTHER, client_of

GROUPS = """
sites:
  - name: Campus
    buildings: [{name: Hall, kind: hall, area_m2: 50, meters: [m]}]
"""


@pytest.fixture
def alone(own_lake) -> Lake:
    """The small lake with the default meter alone."""
    save_meters(LakeFiles(own_lake.assets), MeterRegistry(METER))
    return own_lake


def test_the_first_page_is_that_of_all_meters_once_there_is_more_than_one(page, alone):
    assert "<title>All meters</title>" in page.get("/").text
    assert "<title>Power</title>" in client_of(alone).get("/").text


@pytest.mark.parametrize("query", ["meter=m", "year=2024", "episode=2024-03-05T08:00Z", "tz=utc"])
def test_a_link_to_a_meter_or_an_episode_shows_the_page_of_a_meter(page, query):
    assert "<title>Power</title>" in page.get(f"/?{query}").text


def test_the_page_of_all_meters_has_an_address_of_its_own(alone):
    assert "<title>All meters</title>" in client_of(alone).get("/fleet").text


def test_the_figures_are_those_of_the_lake(page, readings):
    said = page.get("/api/fleet").json()
    assert [row["name"] for row in said["rows"]] == ["m", OTHER.name]
    assert said["counts"] == {"all": 2, "open": 1, "silent": 1, "incomplete": 1}
    own = readings[readings["meter"] == "m"].set_index("event_time")["value"]
    week = own[own.index.max() - pd.Timedelta(hours=167) :]
    row = said["rows"][0]
    assert row["week"]["kwh"] == pytest.approx(week.sum(), rel=1e-5)
    assert row["week"]["expected"] == pytest.approx(650 * len(week))
    assert (row["episodes"], row["has_model"]) == (1, True)
    assert row["completeness"] == pytest.approx(len(week) / 168)
    assert row["newest"] == said["newest"] == said["as_of"] == own.index.max().value // 10**9
    assert len(row["line"]) == 168
    other = said["rows"][1]
    assert (other["newest"], other["is_silent"], other["week"]["kwh"]) == (None, True, None)
    assert set(other["line"]) == {None}


def test_without_a_tariff_there_is_energy_alone(page):
    said = page.get("/api/fleet").json()
    assert (said["has_costs"], said["sort"]) == (False, "rank")
    assert [row["cost"] for row in said["rows"]] == [None, None]


def test_where_a_tariff_applies_rows_have_costs_and_those_at_stake_come_first(own_lake, readings):
    columns = ["meter", "start", "end", "energy_kwh", "event_date"]
    hours = LakeReader(own_lake).rows(USAGE_HOURLY, columns)
    own = hours[hours["meter"] == "m"].rename(columns={"energy_kwh": "kwh"})
    priced = own.assign(export_kwh=0.0, currency="EUR", cost=0.5 * own["kwh"])
    table_writer(own_lake, USAGE_COST, priced)
    page = client_of(own_lake)
    said = page.get("/api/fleet").json()
    assert (said["has_costs"], said["sort"]) == (True, "at_stake")
    first, other = said["rows"]
    assert (first["name"], first["cost"]["currency"]) == ("m", "EUR")
    assert first["cost"]["month"] == pytest.approx(0.5 * first["month"]["kwh"], rel=1e-5)
    assert (first["cost"]["month_hours"], first["cost"]["is_estimate"]) == (720 - 5, False)
    # The open episode used less than expected: nothing is at stake.
    assert (first["excess_kwh"] < 0, first["cost"]["at_stake"]) == (True, 0.0)
    assert other["cost"] is None
    assert page.get("/api/fleet?sort=rank").json()["sort"] == "rank"


def test_what_is_chosen_is_shown(page):
    def names(query: str) -> list[str]:
        return [row["name"] for row in page.get(f"/api/fleet?{query}").json()["rows"]]

    assert names("search=ROME") == [OTHER.name]
    assert names("show=open") == ["m"]
    assert names("sort=name&order=asc") == [OTHER.name, "m"]
    assert names("search=nobody") == []
    assert page.get("/api/fleet?page=7").json()["page"] == 1


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("show=some", "show: expected one of all, open, silent, incomplete, got 'some'"),
        ("sort=colour", "sort: expected one of rank, name, "),
        ("order=up", "order: expected asc or desc, got 'up'"),
        ("page=0", "page: expected a whole number from 1 to 1000000, got '0'"),
        (f"search={'x' * 201}", "search: expected at most 200 characters"),
    ],
)
def test_what_cannot_be_chosen_is_refused_in_one_line(page, query, error):
    answer = page.get(f"/api/fleet?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(error)


def test_what_the_page_has_already_is_not_sent_again(page):
    for path in ("/api/fleet", "/api/fleet/map"):
        first = page.get(path)
        again = page.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code) == (200, 304)


def test_the_map_has_the_meters_with_readings(page):
    said = page.get("/api/fleet/map").json()
    assert [tile["name"] for tile in said["tiles"]] == ["m"]
    assert said["others"] == {"meters": 0, "kwh": 0.0}


def test_a_group_opens_to_its_meters(own_lake):
    LakeFiles(own_lake.assets).write_text("groups.yaml", GROUPS)
    page = client_of(own_lake)
    said = page.get("/api/fleet").json()
    assert said["groups_error"] == ""
    campus, hall = said["groups"]
    assert (campus["kind"], hall["parent"], hall["use"]) == ("site", "Campus", "hall")
    # Within the last week none of the hours is missing.
    assert (hall["week"]["hours"], hall["week"]["complete_hours"]) == (168, 168)
    assert hall["month"]["complete_hours"] == 720 - 5
    row = said["rows"][0]
    assert row["kwh_per_m2"] == pytest.approx(row["month"]["kwh"] / 50, rel=1e-5)
    opened = page.get("/api/fleet/group?name=Hall").json()["rows"]
    assert [one["name"] for one in opened] == ["m"]
    assert page.get("/api/fleet/group?name=none").status_code == 404


def test_a_wrong_file_of_groups_is_said_in_one_line(own_lake):
    LakeFiles(own_lake.assets).write_text("groups.yaml", GROUPS.replace("[m]", "[mm]"))
    said = client_of(own_lake).get("/api/fleet").json()
    assert said["groups_error"].startswith(f"{own_lake.assets}/groups.yaml: Hall: meter 'mm' is u")
    assert len(said["rows"]) == 2


def test_an_empty_lake_shows_a_page_without_figures(empty_page):
    said = empty_page.get("/api/fleet").json()
    assert (said["newest"], said["rows"], said["pages"]) == (None, [], 1)
    assert empty_page.get("/api/fleet/map").json()["tiles"] == []


def test_a_silence_is_heard_and_a_message_without_a_time_is_none():
    def news(kind: str, episode: str) -> News:
        return News(("episode", 0), 1, "m", {"kind": kind, "episode": episode})

    heard = [news("silent", "2024-03-05T08:00Z"), news("silent", "soon"), news("spike", "x")]
    at = pd.Timestamp("2024-03-05T08:00Z").value
    assert list(silences(heard)) == [("m", at)]
