"""A lake whose place is dead: full, no folder, or an S3 that does not answer."""

import socket
from collections.abc import Iterator

import pytest

from usage_platform.adapters.lake.errors import LakeError, one_line
from usage_platform.adapters.lake.files import LakeFiles, load_meters
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.meters import Meter
from usage_platform_tests.no_room import no_room

S3 = "s3://bucket/lake"


def told(what, *args) -> str:
    with pytest.raises(LakeError) as caught:
        what(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_full_disk_is_told_and_leaves_what_was_there_and_no_half_file(tmp_path):
    files = LakeFiles(str(tmp_path))
    files.write_text("a.json", "before")
    with no_room():
        said = told(files.write_text, "a.json", "after")
    assert f"{tmp_path}: no space left (" in said
    assert "free some there" in said
    assert files.read_text("a.json") == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    files.write_text("a.json", "after")
    assert files.read_text("a.json") == "after"


def test_a_file_in_the_place_of_a_folder_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    files = LakeFiles(str(tmp_path / "file" / "lake"))
    assert "Not a directory" in told(files.write_text, "a.json", "")


@pytest.mark.parametrize("text", ["{half", '{"a": 1}', '[{"zone": "x"}]', '[{"timezone": "x"}]'])
def test_damaged_meters_are_told_with_their_file(tmp_path, text):
    files = LakeFiles(str(tmp_path))
    files.write_text("meters.json", text)
    said = told(load_meters, files, Meter())
    assert said.startswith(f"{tmp_path}/meters.json: damaged (")
    assert "restore an intact copy" in said


def test_a_damaged_list_of_models_in_force_is_told_with_its_file(tmp_path):
    files = LakeFiles(str(tmp_path))
    files.write_text("promoted.json", "[")
    assert f"{tmp_path}/promoted.json: damaged" in told(ModelStore(files).promoted)


def test_a_damaged_table_is_told_with_its_place(lake, tmp_path):
    log = tmp_path / "lake" / "deltalake" / "readings" / "_delta_log"
    log.mkdir(parents=True)
    (log / f"{0:020}.json").write_text("{half\n")
    assert lake.table(READINGS) in told(LakeReader(lake).state, READINGS)


@pytest.fixture
def silent_server() -> Iterator[str]:
    """It takes connections and never says a word."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def aws(monkeypatch):
    """The credentials and the endpoint of an S3."""

    def choose(endpoint: str) -> None:
        for name, value in {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": endpoint,
        }.items():
            monkeypatch.setenv(name, value)

    return choose


def test_an_s3_that_is_not_there_is_told_of_files_and_of_tables(aws):
    aws("http://127.0.0.1:1")
    for said in (told(LakeFiles, S3), told(LakeReader(Lake(S3)).state, READINGS)):
        assert said.startswith(f"{S3}: cannot be reached (Could not connect")
        assert "AWS_ENDPOINT_URL" in said


def test_an_s3_that_never_answers_is_given_up_and_told(aws, silent_server):
    aws(silent_server)
    assert "Read timeout" in told(LakeFiles, S3)


def test_only_the_first_line_that_says_something_is_told_and_not_all_of_it():
    assert one_line("\n\n  a   b \nc") == "a b"
    assert len(one_line("x" * 999)) == 200
    assert one_line("") == ""
