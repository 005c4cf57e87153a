"""A CKAN portal's dataset, against a local server that behaves like one."""

import json

import pytest

from usage_platform.adapters.sources import ckan_portal
from usage_platform.adapters.sources.ckan import DEFAULT_DATASET, CkanSource
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.adapters.sources.ckan_server import SHOW, PretendedPortal, serving

START, END, KW = (
    "usage_datetime_start_eastern_time",
    "usage_datetime_end_eastern_time",
    "usage_kw",
)


def records(count, first=0):
    return [
        {
            "_id": first + at + 1,
            START: f"2024-03-05T{(first + at) // 12:02d}:{(first + at) % 12 * 5:02d}:00",
            END: None,
            KW: 500.1 + at,
        }
        for at in range(count)
    ]


@pytest.fixture
def portal():
    portal = PretendedPortal(DEFAULT_DATASET)
    with serving(portal):
        yield portal


@pytest.fixture
def source(portal, tmp_path):
    def source(**settings):
        settings = {"base_url": portal.url, "page_rows": 10, "pause": lambda _s: None, **settings}
        return CkanSource(tmp_path / "assets", **settings)

    return source


def quiet(_done, _total):
    pass


def refusal(source):
    with pytest.raises(SourceError) as refused:
        source.load(quiet)
    message = str(refused.value)
    assert "\n" not in message
    return message


def test_an_answer_that_is_too_large_for_memory_is_refused(portal, source, monkeypatch):
    monkeypatch.setattr(ckan_portal, "MOST_JSON_BYTES", 2 << 20)
    portal.add_table("a", [{**row, "note": "x" * 300_000} for row in records(10)])
    assert "the answer has more than 2 MiB" in refusal(source())


def test_all_pages_of_all_tables_are_read(portal, source):
    portal.add_table("a", records(25))
    portal.add_table("b", records(12, first=25))
    seen = []
    found = source().load(lambda *told: seen.append(told))
    assert found.rows == len(found.frame) == 37
    assert found.frame["value"].iloc[0] == 500.1
    assert portal.asked == [SHOW, ("a", 0), ("a", 10), ("a", 20), ("b", 0), ("b", 10)]
    assert seen == [(10, None), (20, None), (25, None), (35, 37), (37, 37), (37, 37)]


def test_an_unchanged_dataset_costs_one_question(portal, source):
    portal.add_table("a", records(25))
    first = source().load(quiet)
    portal.asked.clear()
    second = source(page_rows=7).load(quiet)
    assert portal.asked == [SHOW]
    assert second.frame.equals(first.frame)


def test_a_changed_resource_is_fetched_anew_and_its_old_pages_go(portal, source, tmp_path):
    portal.add_table("a", records(5))
    source().load(quiet)
    portal.tables["a"] = records(6)
    portal.resources[0]["last_modified"] = "2024-05-01T00:00:00"
    assert source().load(quiet).rows == 6
    assert (
        len(list((tmp_path / "assets" / "central-library-electricity-usage" / "a").iterdir())) == 1
    )


def test_without_dates_of_its_own_a_resource_is_as_old_as_the_dataset(portal, source):
    portal.add_table("a", records(5), changed=None)
    source().load(quiet)
    portal.asked.clear()
    source().load(quiet)
    assert portal.asked == [SHOW]


def test_a_broken_off_load_goes_on_with_the_pages_that_are_missing(portal, source):
    portal.add_table("a", records(45))
    portal.faults = [None, None, None, *["hang up"] * 4]
    assert "no good answer in 4 tries (ConnectionError)" in refusal(source())
    portal.asked.clear()
    assert source().load(quiet).rows == 45
    assert portal.asked == [SHOW, ("a", 20), ("a", 30), ("a", 40)]


def test_a_damaged_page_on_disk_is_fetched_again(portal, source, tmp_path):
    portal.add_table("a", records(25))
    source().load(quiet)
    (page,) = tmp_path.rglob("rows-000000010.json")
    page.write_bytes(page.read_bytes()[:-5])
    portal.asked.clear()
    assert source().load(quiet).rows == 25
    assert portal.asked == [SHOW, ("a", 10)]


@pytest.mark.parametrize("fault", [500, 503, 429, "cut", "cut json", "hang up"])
def test_a_passing_fault_is_tried_again_after_a_pause(portal, source, fault):
    portal.add_table("a", records(5))
    portal.faults = [None, fault, fault]
    pauses = []
    assert source(pause=pauses.append).load(quiet).rows == 5
    assert pauses == [0.5, 1.0]


def test_a_portal_that_gives_fewer_rows_than_asked_for_is_read_to_the_end(portal, source):
    portal.add_table("a", records(25))
    portal.most_rows = 4
    assert source().load(quiet).rows == 25


def test_a_table_that_changes_while_it_is_read_is_read_anew_next_time(portal, source):
    portal.add_table("a", records(25))
    portal.faults = [None, None, *[503] * 4]
    refusal(source())
    portal.tables["a"] = records(26)
    assert "changed from 25 to 26 rows" in refusal(source())
    assert source().load(quiet).rows == 26


def test_a_table_that_ends_early_is_told(portal, source):
    portal.add_table("a", records(25))
    portal.search = lambda query: portal.success(
        {"fields": [{"id": "_id"}], "records": [], "total": 25}
    )
    assert "gave 0 of 25 rows" in refusal(source())


def test_a_csv_file_without_a_table_is_downloaded_once(portal, source):
    portal.files["/dump/usage.csv"] = f"{START},{KW}\n2024-03-05 00:00:00,5\nx,6\n".encode()
    portal.resources.append(
        {"id": "c", "name": "file", "format": "CSV", "url": f"{portal.url}/dump/usage.csv"}
    )
    for asked in ([SHOW, "/dump/usage.csv"], [SHOW]):
        portal.asked.clear()
        found = source().load(quiet)
        assert portal.asked == asked
        assert [(bad.file, bad.row) for bad in found.bad_rows] == [("file", 3)]
        assert len(found.frame) == 1


def test_a_download_that_breaks_off_leaves_no_file(portal, source, tmp_path):
    portal.files["/usage.csv"] = f"{START},{KW}\n2024-03-05 00:00:00,5\n".encode()
    portal.resources.append({"id": "c", "format": "CSV", "url": f"{portal.url}/usage.csv"})
    portal.faults = [None, *["cut"] * 4]
    assert "no good answer in 4 tries" in refusal(source())
    assert not list(tmp_path.rglob("*.csv"))
    assert source().load(quiet).rows == 1


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://127.0.0.1/x.csv", "/x.csv", "http://"]
)
def test_only_http_addresses_are_downloaded(portal, source, url):
    portal.resources.append({"id": "c", "format": "CSV", "url": url})
    assert "expected one that starts with http:// or https://" in refusal(source())


def test_a_download_that_is_no_csv_is_not_kept(portal, source):
    portal.resources.append({"id": "c", "format": "CSV", "url": f"{portal.url}/usage.csv"})
    portal.files["/usage.csv"] = b"<html>back soon</html>"
    assert "is XML" in refusal(source())
    portal.files["/usage.csv"] = f"{START},{KW}\n2024-03-05 00:00:00,5\n".encode()
    assert source().load(quiet).rows == 1


def test_a_resource_id_cannot_leave_the_cache(portal, source, tmp_path):
    portal.add_table("../../../outside", records(3))
    assert source().load(quiet).rows == 3
    assert [path.name for path in tmp_path.iterdir()] == ["assets"]
    assert not list(tmp_path.parent.rglob("outside"))


def test_other_kinds_of_resources_are_left_alone(portal, source):
    portal.add_table("a", records(3))
    portal.resources.append({"id": "p", "format": "PDF", "url": f"{portal.url}/readme.pdf"})
    assert source().load(quiet).rows == 3
    assert portal.asked == [SHOW, ("a", 0)]


def test_a_table_of_something_else_is_reported_and_left_out(portal, source):
    portal.add_table("a", records(3))
    portal.add_table("dictionary", [{"_id": 1, "column": KW, "unit": "kW"}])
    found = source().load(quiet)
    assert len(found.frame) == 3
    (bad,) = found.bad_rows
    assert (bad.file, bad.field) == ("usage dictionary", "header")
    assert bad.reason == f"lacks the column {START!r}; the whole resource is left out"


def test_a_dataset_in_which_nothing_has_the_columns_is_refused(portal, source):
    portal.add_table("dictionary", [{"_id": 1, "column": KW, "unit": "kW"}])
    assert "no column" in refusal(source())


def test_bad_rows_are_numbered_by_the_portals_id(portal, source):
    rows = records(12)
    rows[10].update({"_id": 99, KW: None})
    portal.add_table("a", rows)
    (bad,) = source().load(quiet).bad_rows
    assert str(bad).startswith("usage a:99: usage_kw: '' is empty")


def test_an_unknown_dataset_is_told(portal, source):
    message = refusal(source(dataset="no-such-thing"))
    assert "no dataset 'no-such-thing'" in message


def test_a_dataset_without_readings_is_told(portal, source):
    assert "no resource with a table or CSV" in refusal(source())


def test_a_host_that_is_not_there_is_told(source):
    message = refusal(source(base_url="http://127.0.0.1:1"))
    assert "127.0.0.1:1: no good answer in 4 tries (ConnectionError)" in message


def test_an_address_that_is_no_ckan_portal_is_told(portal, source):
    portal.faults = [404]
    assert "the answer is not JSON (status 404)" in refusal(source())


@pytest.mark.parametrize("url", ["data.boston.gov", "file:///tmp", "https://", "http://[x"])
def test_an_address_that_is_not_http_is_refused(source, url):
    assert "the portal's address is" in refusal(source(base_url=url))


@pytest.mark.parametrize(
    "answer", [{"success": True, "result": []}, {"success": False, "error": "x\ny"}, ["odd"], None]
)
def test_an_answer_unlike_ckans_is_told(portal, source, answer):
    body = json.dumps(answer).encode()
    portal.answer = lambda _path: (200, "application/json", body)
    assert "package_show was refused with status 200" in refusal(source())


def test_a_page_unlike_ckans_is_told(portal, source):
    portal.add_table("a", records(3))
    portal.search = lambda _query: portal.success({"records": []})
    assert "expected fields, records and total" in refusal(source())


def test_a_cache_that_cannot_be_written_is_told(portal, source, tmp_path):
    portal.add_table("a", records(3))
    (tmp_path / "assets").write_text("a file where the folder should be")
    assert "what was fetched cannot be kept there" in refusal(source())
