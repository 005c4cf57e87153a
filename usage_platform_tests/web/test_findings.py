from datetime import UTC, datetime

import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.finding_states import FindingStates
from usage_platform.adapters.stores.findings_record import FindingsRecord, FindingsRun
from usage_platform_tests.made_findings import finding, write_findings
from usage_platform_tests.web.conftest import client_of

FIRST, SECOND = (f"{number:012x}" for number in (8000, 400))


@pytest.fixture
def page(own_lake):
    once = {"kwh_per_year": None, "cost_per_year": None, "currency": None}
    write_findings(own_lake, finding(400, "m", **once), finding(8000, "m"), finding(9, "rome"))
    return client_of(own_lake)


def set_state(page, **given):
    return page.post("/api/findings", json={"finding": FIRST, "state": "accepted", **given})


def listed(page):
    return {one["id"]: one for one in page.get("/api/findings?meter=m").json()["findings"]}


def test_a_meters_findings_are_listed_by_cost_with_their_time(page):
    said = page.get("/api/findings?meter=m").json()
    assert [one["id"] for one in said["findings"]] == [FIRST, SECOND]
    first, second = said["findings"]
    assert (first["kwh_per_year"], first["cost_per_year"], first["state"]) == (8000, 2000, "new")
    assert (first["start"], first["first_seen"]) == (1716436800, "2024-06-18")
    assert (second["kwh"], second["kwh_per_year"], second["cost_per_year"]) == (40, None, None)
    assert (said["as_of"], said["failed"]) == (None, None)


def test_a_meter_whose_findings_failed_says_so(page, own_lake):
    at = datetime(2024, 6, 20, 8, 33, tzinfo=UTC)
    run = FindingsRun(as_of=at, digest="", meters=2, failed={"m": "ValueError: no such thing"})
    FindingsRecord(LakeFiles(own_lake.assets)).write(run)
    said = page.get("/api/findings?meter=m").json()
    assert (said["as_of"], said["failed"]) == (1718872380, "ValueError: no such thing")
    assert page.get("/api/findings?meter=rome").json()["failed"] is None


def test_a_state_is_kept_for_everybody(page, own_lake):
    tag = page.get("/api/findings?meter=m").headers["etag"]
    assert page.get("/api/findings?meter=m", headers={"If-None-Match": tag}).status_code == 304
    assert set_state(page).status_code == 201
    assert page.get("/api/findings?meter=m", headers={"If-None-Match": tag}).status_code == 200
    assert listed(client_of(own_lake))[FIRST]["state"] == "accepted"
    assert set_state(page, state="new").status_code == 201
    assert listed(page)[FIRST]["state"] == "new"


@pytest.mark.parametrize(
    ("given", "status", "reason"),
    [
        ({"state": "old"}, 400, "state: expected one of new, accepted, done"),
        ({"state": 1}, 400, "finding: state: Input should be a valid string"),
        ({"finding": "x" * 41}, 400, "finding: finding: String should have at most 40"),
        ({"who": "me"}, 400, "finding: who: Extra inputs"),
        ({"finding": "../../etc"}, 404, "no finding '../../etc'"),
    ],
)
def test_a_state_that_cannot_be_is_refused_in_one_line(page, own_lake, given, status, reason):
    answer = set_state(page, **given)
    assert (answer.status_code, reason in answer.json()["error"]) == (status, True), answer.text
    assert FindingStates(LakeFiles(own_lake.assets)).read() == {}


def test_another_sites_page_cannot_set_a_state(page):
    answer = page.post(
        "/api/findings",
        json={"finding": FIRST, "state": "done"},
        headers={"Origin": "http://evil.example"},
    )
    assert answer.status_code == 403
    assert listed(page)[FIRST]["state"] == "new"


def test_the_dearest_findings_of_all_meters_are_those_that_are_not_done(page, own_lake):
    address = "/api/fleet/findings"
    said = page.get(address).json()
    assert [one["id"] for one in said["costliest"]] == [FIRST, f"{9:012x}", SECOND]
    assert (said["count"], said["meters"]) == (3, 2)
    assert set_state(page, state="done").status_code == 201
    left = page.get(address).json()
    assert [one["id"] for one in left["costliest"]] == [f"{9:012x}", SECOND]
    assert left["version"] != said["version"]
    write_findings(own_lake, *(finding(number, "m") for number in range(10, 30)))
    assert len(page.get(address).json()["costliest"]) == 10


def test_an_empty_lake_has_no_findings(empty_page):
    assert empty_page.get("/api/fleet/findings").json()["count"] == 0
    assert empty_page.get("/api/findings").json() == {
        "as_of": None,
        "failed": None,
        "findings": [],
    }
