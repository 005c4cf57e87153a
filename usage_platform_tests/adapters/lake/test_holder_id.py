"""A data folder is one holder, under whatever host name, and its copy is another."""

import shutil
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from usage_platform.adapters.lake.holder_id import holder_of
from usage_platform.adapters.lake.lease import LeaseError, writer_lease


@pytest.fixture
def machine(tmp_path):
    file = tmp_path / "machine-id"
    file.write_text("a-machine\n")
    return file


def test_a_new_host_name_does_not_make_another_holder(tmp_path, machine, lake, monkeypatch):
    before = holder_of(tmp_path / "data", machine)
    writer_lease(lake, before).take()
    monkeypatch.setattr(socket, "gethostname", lambda: "renamed")
    after = holder_of(tmp_path / "data", machine)
    assert after.host == "renamed" != before.host
    writer_lease(lake, after).take()


@pytest.mark.parametrize("what", ["copied to another folder", "copied to another machine"])
def test_a_copy_of_the_folder_is_another_holder(tmp_path, machine, lake, what):
    original = holder_of(tmp_path / "data", machine)
    writer_lease(lake, original).take()
    copy = tmp_path / "data"
    if what == "copied to another folder":
        copy = tmp_path / "copy"
        shutil.copytree(tmp_path / "data", copy)
    else:
        machine.write_text("another-machine\n")
    other = holder_of(copy, machine)
    with pytest.raises(LeaseError):
        writer_lease(lake, other).take()
    assert holder_of(copy, machine) == other


def test_many_first_processes_of_a_folder_are_one_holder(tmp_path, machine):
    with ThreadPoolExecutor(8) as pool:
        holders = list(pool.map(lambda _: holder_of(tmp_path / "data", machine), range(40)))
    assert len(set(holders)) == 1


def test_a_damaged_file_is_replaced(tmp_path, machine):
    holder_of(tmp_path, machine)
    (tmp_path / "run" / "holder.json").write_text("{")
    again = holder_of(tmp_path, machine)
    assert again.id
    assert holder_of(tmp_path, machine) == again


def test_a_folder_that_cannot_be_written_is_known_by_host_and_path(tmp_path, machine):
    (tmp_path / "file").write_text("")
    holder = holder_of(tmp_path / "file", machine)
    assert holder.id == ""
    assert holder.host == socket.gethostname()
