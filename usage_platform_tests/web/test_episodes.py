import json

import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.labels import LabelStore
from usage_platform_tests.web.conftest import METER, client_of

NIGHT = "2024-03-05T08:00Z"
"""The name of the episode of two readings: 03:00 in Boston."""


def review(page, **given: object):
    body = {"meter": "m", "episode": NIGHT, "act": "acknowledge", **given}
    return page.post("/api/reviews", json=body)


def listed(page) -> dict[str, dict]:
    return {one["name"]: one for one in page.get("/api/episodes?meter=m").json()["episodes"]}


def test_anomalies_are_grouped_the_newest_episode_first(page):
    said = page.get("/api/episodes?meter=m").json()
    names = [one["name"] for one in said["episodes"]]
    assert names == ["2024-03-19T17:00Z", NIGHT]
    night = said["episodes"][1]
    start = pd.Timestamp("2024-03-05T03:00", tz=METER.zone).value // 10**9
    assert (night["start"], night["end"]) == (start, start + 7200)
    assert (night["peak_kw"], night["expected_kw"], night["deviation_kw"]) == (1500.0, 650.0, 850.0)
    assert night["excess_kwh"] == pytest.approx(1600.0)
    assert len(said["anomalies"]) == 3


def test_an_acknowledged_episode_stays_so_for_everybody_and_after_a_restart(own_lake):
    assert review(client_of(own_lake)).status_code == 201
    assert listed(client_of(own_lake))[NIGHT]["review"]["acknowledged_at"] is not None


def test_a_comment_is_kept_letter_by_letter(own_lake):
    page, text = client_of(own_lake), '<script>alert("x")</script> ä 😀'
    assert review(page, act="comment", note=text).status_code == 201
    assert listed(page)[NIGHT]["review"]["reviews"][0]["note"] == text


def test_a_label_is_the_label_that_training_and_evaluation_read(own_lake):
    page = client_of(own_lake)
    assert review(page, act="label", says="planned", note="donors").status_code == 201
    assert review(page, act="label", says="false").status_code == 201
    label = LabelStore(LakeFiles(own_lake.assets)).read().iloc[0]
    start = pd.Timestamp("2024-03-05T03:00", tz=METER.zone).tz_convert("UTC")
    assert (label["start"], label["end"], label["says"]) == (
        start,
        start + pd.Timedelta(hours=2),
        "false",
    )
    assert len(LabelStore(LakeFiles(own_lake.assets)).read()) == 1
    assert listed(page)[NIGHT]["review"]["says"] == "false"


def test_the_list_changes_its_version_with_a_review(own_lake):
    page = client_of(own_lake)
    tag = page.get("/api/episodes?meter=m").headers["etag"]
    assert page.get("/api/episodes?meter=m", headers={"If-None-Match": tag}).status_code == 304
    review(page)
    assert page.get("/api/episodes?meter=m", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("given", "status", "told"),
    [
        ({"act": "delete"}, 400, "'delete' is not a valid Act"),
        ({"act": "label"}, 400, "expected says"),
        ({"act": "label", "says": "maybe"}, 400, "'maybe' is not a valid Verdict"),
        ({"act": "comment", "note": " "}, 400, "at least one word"),
        ({"note": "x" * 1001}, 400, "note: String should have at most 1000"),
        ({"who": "me"}, 400, "who: Extra inputs"),
        ({"meter": 7}, 400, "meter: Input should be a valid string"),
        ({"episode": "2024-03-06T08:00Z"}, 404, "no episode"),
        ({"episode": "../../etc"}, 404, "no episode"),
        ({"meter": "x\u0000"}, 404, "no episode"),
    ],
)
def test_a_review_that_cannot_be_is_refused_in_one_line_and_nothing_is_kept(
    own_lake, given, status, told
):
    page = client_of(own_lake)
    answer = review(page, **given)
    assert (answer.status_code, told in answer.json()["error"]) == (status, True), answer.text
    assert "\n" not in answer.json()["error"]
    assert not LakeFiles(own_lake.assets).names("reviews")


def test_a_body_that_is_no_json_is_refused(own_lake):
    page = client_of(own_lake)
    for body in ("{half", "[]", "null", json.dumps("x")):
        answer = page.post(
            "/api/reviews", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 400


def test_an_empty_lake_has_no_episodes(empty_page):
    assert empty_page.get("/api/episodes").json() == {"episodes": [], "anomalies": []}
