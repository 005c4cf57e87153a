"""Names, texts and comments use the terms of docs/glossary.md and none of its avoided words."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import usage_platform
from usage_platform.console.cli import main
from usage_platform.settings.settings import Settings
from usage_platform_tests.repository import ROOT

PACKAGE = Path(usage_platform.__file__).parent
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
# `HTTPServer` has the parts http and server, `ToldAlerts` has told and alerts.
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def rows(title: str) -> list[list[str]]:
    """The cells of the table below a heading of the glossary, without its head."""
    section = GLOSSARY.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    lines = [line.strip("| ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.split(" | ")] for line in lines[2:]]


AVOIDED = {word for avoided, _ in rows("Words not used") for word in avoided.split(", ")}
EXCEPTIONS = {name.strip("`") for name, _ in rows("Exceptions")}


PHRASES = [phrase for avoided, _ in rows("Phrases not used") for phrase in avoided.split(", ")]
_PHRASE = re.compile(rf"\b(?:{'|'.join(map(re.escape, PHRASES))})\b", re.IGNORECASE)
_PROSE = {tokenize.COMMENT, tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}
# A text's prefix and quotes, and the values within a formatted one, which are code.
_AROUND = re.compile(r"^[a-z]*[\"']+|[\"']+$|\{[^{}]*\}", re.IGNORECASE)


def phrases_in(source: str) -> set[tuple[int, str]]:
    """The avoided phrases in a source's texts and comments, each with the line of its text.

    What a phrase is written over does not matter: line breaks, a text that goes on in the next
    line's, or comments of several lines.
    """
    found: set[tuple[int, str]] = set()
    pieces: list[tuple[int, str]] = []
    for token in (*tokenize.generate_tokens(io.StringIO(source).readline), None):
        if token is not None and token.type in _PROSE:
            text = token.string.lstrip("# ") if token.type == tokenize.COMMENT else token.string
            pieces.append((token.start[0], _AROUND.sub("", text)))
        elif token is None or token.type != tokenize.NL:
            prose = " ".join(" ".join(text for _, text in pieces).split())
            found |= {(pieces[0][0], one.lower()) for one in _PHRASE.findall(prose)}
            pieces = []
    return found


def parts(name: str) -> set[str]:
    return {part.lower() for part in _PART.findall(name)}


def names_in(node: ast.AST) -> Iterator[str]:
    """The public names that a module or class defines, with parameters of its functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            # Dunder methods have parameters that callers see.
            if not child.name.startswith("_") or child.name.startswith("__"):
                arguments = child.args
                yield child.name
                yield from (
                    argument.arg
                    for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
                )
        elif isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield child.name
            yield from names_in(child)
        elif isinstance(child, ast.Assign | ast.AnnAssign):
            targets = child.targets if isinstance(child, ast.Assign) else [child.target]
            named = (node for target in targets for node in ast.walk(target))
            yield from (name.id for name in named if isinstance(name, ast.Name))
        elif isinstance(child, ast.If | ast.Try):
            yield from names_in(child)


def violations(source: str) -> set[str]:
    """The public names of a source text that contain an avoided word."""
    return {
        name
        for name in names_in(ast.parse(source))
        if not name.startswith("_") and parts(name) & AVOIDED and name not in EXCEPTIONS
    }


def command_line(command: click.Command) -> Iterator[str]:
    """The names of a command, its arguments and options, and its subcommands."""
    yield command.name or ""
    for parameter in command.params:
        yield from (parameter.name or "", *parameter.opts, *parameter.secondary_opts)
    if isinstance(command, click.Group):
        for one in command.commands.values():
            yield from command_line(one)


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name_of)
def test_no_public_name_contains_an_avoided_word(path):
    modules = path.relative_to(PACKAGE).with_suffix("").parts
    assert {name for name in modules if parts(name) & AVOIDED} == set()
    assert violations(path.read_text("utf-8")) == set()


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name_of)
def test_no_text_and_no_comment_contains_an_avoided_phrase(path):
    assert phrases_in(path.read_text("utf-8")) == set()


def test_no_command_option_or_setting_contains_an_avoided_word():
    names = {*command_line(main), *Settings.model_fields}
    assert {"alert-test", "--min-severity", "interval_minutes"} <= names
    assert {name for name in names if parts(name) & AVOIDED} == set()


PLANTED = """
told = "an exception"
WISHES: int = 1
ODD_DAYS, _said = 2, 3

class ToldAlerts:
    calm: float

    def __init__(self, wishes): ...
    def _judge(self, odd): ...
    def judgeSeries(self, *, unrest): ...

class _Judges:
    def judge(self): ...

async def untold_ones(start, /, spot): ...

def bargain(told_words, foretold):
    said = told_words
    return said
"""


def test_a_planted_violation_is_noticed_wherever_a_public_name_can_be():
    assert violations(PLANTED) == {
        *("WISHES", "ODD_DAYS", "ToldAlerts", "calm", "wishes", "judgeSeries", "unrest"),
        *("untold_ones", "spot", "told_words"),
    }


PLANTED_PROSE = """
'A module whose rule is in
force.'
judged = 1  # Let go
# of all.
def f(wishes):
    return f"{judged} rows, taken "  "for none, of odd weeks and {wishes!r}"
"""


def test_a_planted_phrase_is_noticed_in_any_text_and_comment_over_any_lines_but_not_in_code():
    planted = PLANTED_PROSE.replace("'", '"' * 3)
    assert {phrase for _, phrase in phrases_in(planted)} == {"in force", "let go", "taken for"}


def test_each_phrase_has_a_replacement():
    assert {"judged", "in force", "said of"} <= set(PHRASES)
    assert all(instead for _, instead in rows("Phrases not used"))


def test_the_list_names_replacements_and_its_exceptions_are_needed():
    assert {"told", "judge", "odd", "wishes"} <= AVOIDED
    assert all(instead for _, instead in rows("Words not used"))
    assert all(parts(name) & AVOIDED and reason for name, reason in map(tuple, rows("Exceptions")))
    defined = {
        name
        for path in PACKAGE.rglob("*.py")
        for name in names_in(ast.parse(path.read_text("utf-8")))
    }
    assert defined >= EXCEPTIONS


SECTIONS = ("Readings", "Processing", "Detection", "Load")


def test_each_term_has_one_sentence_and_a_place_that_exists():
    terms = [row for section in SECTIONS for row in rows(section)]
    assert len(terms) >= 50
    assert len({term for term, *_ in terms}) == len(terms)
    for term, meaning, where in terms:
        assert meaning.endswith(".") and ". " not in meaning, term  # noqa: PT018
        assert where, term
        for path in re.findall(r"`((?:core|adapters|services|defs)(?:/[\w/.]+)?)`", where):
            assert (PACKAGE / path).exists(), (term, path)
