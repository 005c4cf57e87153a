"""A process is told apart from a later one of the same number."""

import os
import subprocess
import sys

import pytest

from usage_platform.local import pid as module
from usage_platform.local.pid import (
    ProcessId,
    identify,
    read_pid_file,
    session_members,
    write_pid_file,
)


def test_this_process_is_alive_and_the_same_each_time():
    me = identify(os.getpid())
    assert me is not None
    assert me.is_alive
    assert me == identify(os.getpid())


def test_a_number_that_another_process_has_by_now_is_not_alive():
    assert not ProcessId(os.getpid(), "long ago").is_alive


def test_a_process_that_only_awaits_its_parent_is_not_alive():
    with subprocess.Popen([sys.executable, "-c", "pass"]) as child:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert identify(child.pid) is None


def test_a_system_without_proc_is_asked_by_ps(monkeypatch, tmp_path):
    monkeypatch.setattr(module, "_PROC", tmp_path)
    me = identify(os.getpid())
    assert me is not None
    assert me.is_alive
    assert not ProcessId(os.getpid(), "Sun Nov 22 00:00:00 1970").is_alive
    assert session_members(os.getsid(0)) == []


def test_a_pid_file_gives_back_what_was_written(tmp_path):
    process = ProcessId(12, "Sun Nov 22 13:30:00 2026")
    write_pid_file(tmp_path / "x.pid", process)
    assert read_pid_file(tmp_path / "x.pid") == process


@pytest.mark.parametrize("content", [b"", b"12", b"twelve 5", b"\xff\xfe"])
def test_a_damaged_pid_file_names_nobody(tmp_path, content):
    (tmp_path / "x.pid").write_bytes(content)
    assert read_pid_file(tmp_path / "x.pid") is None


def test_a_missing_pid_file_names_nobody(tmp_path):
    assert read_pid_file(tmp_path / "x.pid") is None
