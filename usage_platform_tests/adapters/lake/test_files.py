"""Plain files: whole or not there."""

from pathlib import Path

import pytest

from usage_platform.adapters.lake.files import LakeFiles, load_meters, save_meters
from usage_platform.core.meters import Meter, MeterRegistry


@pytest.fixture
def files(tmp_path) -> LakeFiles:
    return LakeFiles(str(tmp_path / "root"))


def test_a_text_is_read_as_it_was_written_and_replaced_as_a_whole(files):
    files.write_text("a/b.json", "first, and longer")
    files.write_text("a/b.json", "zweite ä")
    assert files.read_text("a/b.json") == "zweite ä"
    assert files.names("a") == ["b.json"]


def test_a_file_whose_writing_fails_leaves_the_one_before_and_nothing_else(files):
    files.write_text("a/b", "before")

    def write_half():
        with files.open_output("a/b") as out:
            out.write(b"half")
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        write_half()
    assert files.read_text("a/b") == "before"
    assert files.names("a") == ["b"]


def test_what_is_not_there_is_none_or_nothing(files):
    assert files.read_text("a/b") is None
    assert not files.exists("a")
    assert files.names("a") == files.folders() == []


@pytest.fixture
def deleted_meanwhile(files, monkeypatch):
    """Another process deletes each file once this one has seen that it is there."""
    exists = files.exists

    def seen_and_deleted(name):
        is_there = exists(name)
        if is_there:
            Path(files.root, name).unlink()
        return is_there

    files.write_text("a/b.json", "{}")
    monkeypatch.setattr(files, "exists", seen_and_deleted)


@pytest.mark.usefixtures("deleted_meanwhile")
@pytest.mark.parametrize("use", [LakeFiles.read_text, LakeFiles.read_json, LakeFiles.delete])
def test_a_file_that_another_process_deletes_meanwhile_is_not_there(files, use):
    assert use(files, "a/b.json") is None
    assert files.names("a") == []


def test_folders_and_files_are_told_apart_and_sorted(files):
    for name in ("b/x", "a/y", "a/x", "top"):
        files.write_text(name, "")
    assert files.folders() == ["a", "b"]
    assert files.names("a") == ["x", "y"]
    assert not files.exists("a")


def test_meters_that_were_made_known_stay_known_and_others_are_like_the_default(files):
    default = Meter("library", "Europe/Rome", 15)
    assert load_meters(files, default).get("x") == Meter("x", "Europe/Rome", 15)
    known = MeterRegistry(default).with_meters([Meter("b"), Meter("ä", interval_minutes=60)])
    save_meters(files, known)
    assert load_meters(files, default) == known
