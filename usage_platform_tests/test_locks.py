"""The lock files hold everything that set-up installs, by checksum, and name no host."""

import re
import tomllib

import pytest

from usage_platform_tests.repository import ROOT

LOCKS = sorted(ROOT.glob("requirements*.txt"))
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", re.MULTILINE)


def entries(text: str) -> list[str]:
    """Each package's lines."""
    return re.split(r"\n(?=[A-Za-z0-9])", text.strip())


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_each_package_has_a_version_and_checksums_and_no_host_is_named(lock):
    text = lock.read_text("utf-8")
    assert "://" not in text
    wrong = [
        entry.split()[0]
        for entry in entries(text)
        if not _PINNED.match(entry) or "--hash=sha256:" not in entry
    ]
    assert wrong == []


def test_what_builds_this_package_is_locked_and_nothing_else_builds_it():
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    locked = set(_PINNED.findall((ROOT / "requirements-uv.txt").read_text("utf-8")))
    needed = {re.split(r"[<>=~! ]", one)[0] for one in configuration["build-system"]["requires"]}
    assert needed
    assert needed | {"uv", "editables"} <= locked
    for name in ("Makefile", "Dockerfile"):
        text = (ROOT / name).read_text("utf-8")
        installs = [line for line in text.splitlines() if "--editable ." in line]
        assert installs
        assert [line for line in installs if "--no-build-isolation" not in line] == []
