"""What the platform keeps is its user's alone, and no link of somebody else is followed."""

import os
import stat
from pathlib import Path

import pytest

from usage_platform.local import ports
from usage_platform.local.errors import LocalError
from usage_platform.local.ports import PortClaims
from usage_platform.local.private_folder import private_folder
from usage_platform.local.stack_file import StackFile


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("is_there", ["missing", "open to all", "a link"])
def test_nobody_else_can_enter_the_data_folder_of_a_stack(tmp_path, is_there):
    data = tmp_path / "of" / "mine"
    if is_there == "open to all":
        data.mkdir(parents=True, mode=0o755)
    elif is_there == "a link":
        data.parent.mkdir()
        (tmp_path / "disk").mkdir(mode=0o755)
        data.symlink_to(tmp_path / "disk")
    with StackFile(data):
        assert mode_of(data) == 0o700


def test_a_link_and_a_file_in_the_place_of_a_folder_are_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    for name in ("link", "dangling", "file"):
        with pytest.raises(LocalError, match=f"{name}: .*expected a folder of this user"):
            private_folder(tmp_path / name)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_folder_of_another_user_is_refused(tmp_path):
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    with pytest.raises(LocalError, match="expected a folder of this user"):
        private_folder(theirs)


def test_a_folder_of_all_users_is_refused_and_stays_as_it_is(tmp_path):
    """As /tmp for root, who owns it: closed, nobody else could work on the machine."""
    everyones = tmp_path / "everyones"
    everyones.mkdir()
    everyones.chmod(0o1777)
    with pytest.raises(LocalError, match="a folder of all users"), StackFile(everyones):
        pass
    assert mode_of(everyones) == 0o1777
    assert list(everyones.iterdir()) == []


@pytest.mark.skipif(os.getuid() != 0, reason="only root owns it")
def test_the_root_of_all_files_is_refused(monkeypatch):
    closed = []
    monkeypatch.setattr(Path, "chmod", lambda self, mode: closed.append(self))
    with pytest.raises(LocalError, match="a folder of all users"):
        private_folder(Path("/"))
    assert closed == []


def test_a_link_in_the_place_of_a_claim_is_not_followed(tmp_path, monkeypatch, unused_port):
    monkeypatch.setattr(ports.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = private_folder(tmp_path / f"usage-platform-ports-{os.getuid()}")
    port, victim = unused_port(), tmp_path / "victim"
    victim.write_text("dear")
    (folder / str(port)).symlink_to(victim)
    with pytest.raises(LocalError, match=f"{port}: .*; remove it"):
        PortClaims().take(port, "page", print)
    assert victim.read_text() == "dear"
