"""A Java that is downloaded is the one that was published, or it is refused and nothing is left."""

import hashlib
import io
import json
import platform
import sys
import tarfile
from collections.abc import Callable

import pytest

from usage_platform.local import java_download
from usage_platform.local.java_download import download_java

LINK = "https://there.example/jdk-17.tar.gz"


def _archive(name: str = "jdk-17.0.1/bin/java") -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo(name)
        entry.size = 4
        archive.addfile(entry, io.BytesIO(b"java"))
    return packed.getvalue()


@pytest.fixture
def publish(monkeypatch) -> Callable[..., list[str]]:
    """Publish an archive, with its own checksum by default; gives the addresses that are asked."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")

    def make(archive: bytes, checksum: str = "", link: str = LINK) -> list[str]:
        package = {"link": link, "checksum": checksum or hashlib.sha256(archive).hexdigest()}
        replies = {link: archive, "": json.dumps([{"binary": {"package": package}}]).encode()}
        asked: list[str] = []

        def urlopen(address: str, timeout: float) -> io.BytesIO:
            asked.append(address)
            return io.BytesIO(replies.get(address, replies[""]))

        monkeypatch.setattr(java_download, "urlopen", urlopen)
        return asked

    return make


def test_it_is_unpacked_whole_and_takes_the_place_of_a_former_one(tmp_path, publish):
    asked = publish(_archive())
    (tmp_path / "jdk-17.0.1" / "left over").mkdir(parents=True)
    home = download_java(17, tmp_path)
    assert home == tmp_path / "jdk-17.0.1"
    assert [path.name for path in home.rglob("*")] == ["bin", "java"]
    assert [path.name for path in tmp_path.iterdir()] == ["jdk-17.0.1"]
    assert "latest/17/" in asked[0]
    assert "architecture=x64" in asked[0]
    assert "os=linux" in asked[0]


@pytest.mark.parametrize(
    ("machine", "system", "asked_for"),
    [
        ("arm64", "darwin", "architecture=aarch64&image_type=jdk&os=mac"),
        ("aarch64", "linux", "architecture=aarch64&image_type=jdk&os=linux"),
    ],
)
def test_other_machines_get_their_own(tmp_path, publish, monkeypatch, machine, system, asked_for):
    asked = publish(_archive())
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(platform, "machine", lambda: machine)
    download_java(17, tmp_path)
    assert asked_for in asked[0]


@pytest.mark.parametrize(
    ("published", "said"),
    [
        ({"checksum": "0" * 64}, "jdk-17.tar.gz came with another checksum than published"),
        ({"link": "http://there.example/jdk-17.tar.gz"}, "expected an address of https"),
    ],
)
def test_what_was_not_published_is_refused_and_nothing_is_left(tmp_path, publish, published, said):
    publish(_archive(), **published)
    with pytest.raises(ValueError, match=said):
        download_java(17, tmp_path / "jdk")
    assert list(tmp_path.rglob("*java*")) == []


def test_an_archive_that_leaves_its_folder_is_refused(tmp_path, publish):
    publish(_archive("../../escaped"))
    with pytest.raises(tarfile.TarError):
        download_java(17, tmp_path / "jdk")
    assert list(tmp_path.rglob("escaped")) == []


@pytest.mark.parametrize("reply", [b"[]", b"{}", b"not json"])
def test_a_release_that_is_not_published_is_an_error(tmp_path, publish, monkeypatch, reply):
    publish(b"")
    monkeypatch.setattr(java_download, "urlopen", lambda address, timeout: io.BytesIO(reply))
    with pytest.raises(ValueError, match=r"none of release 17|Expecting value"):
        download_java(17, tmp_path)


def test_a_machine_for_which_there_is_none_is_said(tmp_path, publish, monkeypatch):
    publish(b"")
    monkeypatch.setattr(platform, "machine", lambda: "sparc")
    with pytest.raises(ValueError, match="none is published for linux on sparc"):
        download_java(17, tmp_path)
