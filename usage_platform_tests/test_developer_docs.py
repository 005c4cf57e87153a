"""The developers' pages: what they name exists, and their links lead somewhere."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.docs_site.pages import (
    REPOSITORY_PAGES,
    BrokenLinkError,
    site_place,
    with_site_links,
)

DEVELOPERS = sorted((ROOT / "docs" / "dev").glob("*.md"))
PAGES = [*(ROOT / "docs").rglob("*.md"), *(ROOT / name for name in REPOSITORY_PAGES)]
_CODE = re.compile(r"`([^`\n]+)`")
_PLACE = re.compile(r"([\w./-]+\.[a-z]+)(?:::([\w.]+))?")
QUESTIONS = ("a late reading handled", "an alert sent", "a setting used", "a model promoted")


def places(text: str) -> Iterator[tuple[str, str]]:
    """Each file that a page names in code, with the name in it; empty for the file alone."""
    for code in _CODE.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)):
        found = _PLACE.fullmatch(code)
        if found and "/" in found[1]:
            yield found[1], found[2] or ""


def is_there(file: str, name: str) -> bool:
    path = next((p for p in (ROOT / "usage_platform" / file, ROOT / file) if p.is_file()), None)
    if path is None:
        return False
    return not name or name in set(names_of(ast.parse(path.read_text("utf-8"))))


def names_of(tree: ast.Module | ast.ClassDef) -> Iterator[str]:
    """Functions, classes with their methods, and constants."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
            yield from (f"{node.name}.{inner}" for inner in names_of(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.Assign):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


@pytest.mark.parametrize("page", DEVELOPERS, ids=lambda page: page.name)
def test_each_file_and_name_that_a_developers_page_gives_exists(page):
    named = set(places(page.read_text("utf-8")))
    assert [f"{file}::{name}" for file, name in sorted(named) if not is_there(file, name)] == []


def test_a_name_that_is_gone_is_noticed():
    assert is_there("services/ingest.py", "drain_topics")
    assert not is_there("services/ingest.py", "drain_topic")
    assert not is_there("services/gone.py", "")
    text = "see `services/ingest.py::drain_topics`, `usage` and `make test`"
    assert list(places(text)) == [("services/ingest.py", "drain_topics")]


@pytest.mark.parametrize("question", QUESTIONS)
def test_the_architecture_answers_in_three_steps_that_name_code(question):
    text = (ROOT / "docs" / "dev" / "architecture.md").read_text("utf-8")
    answer = text.split(f"### {question}\n")[1].split("###")[0].strip()
    steps = re.findall(r"^(\d)\. (.*)", answer, re.MULTILINE)
    assert [number for number, _ in steps] == ["1", "2", "3"]
    assert all(any(name for _, name in places(step)) for _, step in steps)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_pages_and_to_files_of_the_repository_lead_somewhere(page):
    place = site_place(page.relative_to(ROOT).as_posix())
    with_site_links(page.read_text("utf-8"), place, set(), ROOT)


def test_a_broken_link_is_named():
    with pytest.raises(BrokenLinkError, match=r"docs/page.md: link to gone.md: there is no docs"):
        with_site_links("see [it](gone.md)", "page.md", set(), ROOT)


def test_a_link_that_leaves_the_site_is_shown_as_a_path_and_others_stay_links():
    pages = {"page.md", "repository/README.md", "pictures/page.png"}
    text = "[a](page.md#top) [b](../README.md) [c](../terraform/network.tf) ![d](pictures/page.png)"
    assert with_site_links(text, "alerts.md", pages, ROOT) == (
        "[a](page.md#top) [b](repository/README.md) c (`terraform/network.tf`) "
        "![d](pictures/page.png)"
    )
    assert with_site_links("[e](docs/page.md)", "repository/README.md", pages, ROOT) == (
        "[e](../page.md)"
    )


def test_each_layer_is_in_the_table_of_the_architecture():
    text = (ROOT / "docs" / "dev" / "architecture.md").read_text("utf-8")
    folders = {p.parent.name for p in Path(ROOT / "usage_platform").glob("*/__init__.py")}
    assert {name for name in folders if f"`{name}`" not in text} == set()
