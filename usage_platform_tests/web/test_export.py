import io

import pandas as pd
import pyarrow.parquet as pq
import pytest

from usage_platform.web.hours import MOST_ROWS
from usage_platform_tests.web.conftest import METER, OTHER, client_of
from usage_platform_tests.web.test_episodes import NIGHT, review


def seconds(text: str) -> int:
    return pd.Timestamp(text, tz=METER.zone).value // 10**9


def csv_of(page, **query: object) -> pd.DataFrame:
    answer = page.get("/api/export", params={"meter": "m", **query})
    assert answer.status_code == 200, answer.text
    return pd.read_csv(io.StringIO(answer.text), dtype={"label": str, "acknowledged": str})


def test_the_file_of_hours_has_the_rows_of_the_table_on_the_page(page):
    span = {"from": seconds("2024-03-10T00:00"), "to": seconds("2024-03-12T00:00")}
    shown = page.get("/api/hours", params={"meter": "m", **span}).json()["rows"]
    given = csv_of(page, what="hours", **span)
    assert len(shown) == len(given) == 47
    assert given["avg_usage"].tolist() == pytest.approx([row["avg_usage"] for row in shown])
    starts = pd.to_datetime(given["start_utc"], utc=True)
    assert [at.value // 10**9 for at in starts] == [row["start"] for row in shown]


def test_local_times_carry_their_offset_on_both_sides_of_the_change(page):
    span = {"from": seconds("2024-03-10T01:00"), "to": seconds("2024-03-10T04:00")}
    assert csv_of(page, **span)["start_local"].tolist() == [
        "2024-03-10T01:00:00-05:00",
        "2024-03-10T03:00:00-04:00",
    ]


def test_readings_come_with_their_band_and_parquet_says_the_same_as_csv(page, readings):
    given = csv_of(page, what="readings")
    assert given["kw"].tolist() == readings[readings["meter"] == "m"]["value"].tolist()
    answer = page.get("/api/export?meter=m&what=readings&format=parquet")
    table = pq.read_table(io.BytesIO(answer.content)).to_pandas()
    assert table["kw"].tolist() == given["kw"].tolist()
    assert table["expected_high_kw"].iloc[-1] == 1000.0
    assert answer.headers["content-disposition"] == 'attachment; filename="m-readings.parquet"'


def test_episodes_carry_what_people_said_and_no_formula(own_lake):
    page = client_of(own_lake)
    review(page, act="comment", note='=HYPERLINK("http://x")')
    review(page, act="label", says="true")
    row = csv_of(page, what="episodes").iloc[1]
    assert row["start_utc"] == NIGHT.replace("Z", ":00Z")
    assert (row["label"], row["acknowledged"]) == ("true", "True")
    assert row["notes"].startswith("'=HYPERLINK")


def test_a_meters_name_cannot_leave_the_header(page):
    answer = page.get("/api/export", params={"meter": OTHER.name})
    assert 'filename="b-rome-b-hours.csv"' in answer.headers["content-disposition"]


@pytest.mark.parametrize("query", ["what=secrets", "format=xlsx"])
def test_other_files_are_refused(page, query):
    answer = page.get(f"/api/export?{query}")
    assert answer.status_code == 400
    assert "expected what=hours|readings|episodes and format=csv|parquet" in answer.json()["error"]


@pytest.mark.parametrize("what", ["hours", "readings", "episodes"])
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_empty_lake_gives_an_empty_file(empty_page, what, form):
    answer = empty_page.get(f"/api/export?what={what}&format={form}")
    assert answer.status_code == 200


def test_the_table_on_the_page_holds_a_month_at_most_and_says_so(page):
    span = {"from": seconds("2024-01-01T00:00"), "to": seconds("2024-03-19T00:00")}
    said = page.get("/api/hours", params={"meter": "m", **span}).json()
    assert said["is_cut"]
    assert len(said["rows"]) == MOST_ROWS - 5  # The gap's hours are not there.
