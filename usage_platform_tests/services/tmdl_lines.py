"""What TMDL text says, and what is wrong with it, as far as that can be told without Power BI.

The real parser is a .NET library. This one knows the keywords and values that the project uses and
no others, so that a slip of the pen is a finding, not a new word.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_WORD = r"[A-Za-z_]\w*"
_NAME = rf"'(?:[^']|'')+'|{_WORD}"
# What may stand in an object; the file is the object without a name.
_WITHIN = {
    "": {"database", "model", "table", "relationship", "expression", "annotation", "ref"},
    "database": {"compatibilityLevel"},
    "model": {
        "culture",
        "defaultPowerBIDataSourceVersion",
        "discourageImplicitMeasures",
        "sourceQueryCulture",
    },
    "table": {"dataCategory", "column", "measure", "partition"},
    "column": {
        "dataType",
        "isHidden",
        "isKey",
        "formatString",
        "summarizeBy",
        "sourceColumn",
        "sortByColumn",
    },
    "measure": {"formatString", "displayFolder"},
    "partition": {"mode", "source"},
    "relationship": {"fromColumn", "toColumn"},
}
_FLAGS = {"isHidden", "isKey", "discourageImplicitMeasures"}
_VALUES = {
    "compatibilityLevel": {"1601"},
    "dataCategory": {"Time"},
    "dataType": {"string", "dateTime", "double", "int64", "boolean"},
    "defaultPowerBIDataSourceVersion": {"powerBI_V3"},
    "mode": {"import"},
    "summarizeBy": {"none"},
}


@dataclass(frozen=True)
class Line:
    """One line that says something: not a description, not a blank one, no part of an expression.

    Attributes:
        number: Its number in the file.
        path: The objects it stands in, outermost first, as (keyword, name).
        keyword: Its first word.
        name: What an object is called, without quotes; empty for a property.
        value: What follows the colon or the equals sign, with the lines of an expression.
        depth: Tabs before it.
    """

    number: int
    path: tuple[tuple[str, str], ...]
    keyword: str
    name: str
    value: str
    depth: int

    @property
    def is_object(self) -> bool:
        """Whether other lines may stand in it."""
        return self.keyword in _WITHIN or self.keyword in {"expression", "annotation", "ref"}


def lines_of(text: str) -> Iterator[Line]:
    """The lines of a TMDL file."""
    path: list[tuple[str, str]] = []
    rows = text.splitlines()
    at = 0
    while at < len(rows):
        row = rows[at]
        at += 1
        words = row.strip("\t")
        if not words or words.startswith("///"):
            continue
        depth = len(row) - len(words)
        keyword, name, value = _parts(words)
        expression = []
        # An expression below its line stands deeper than the properties beside it.
        while not value and words.endswith("=") and at < len(rows):
            if rows[at] and not rows[at].startswith("\t" * (depth + 2)):
                break
            expression.append(rows[at])
            at += 1
        line = Line(
            at - len(expression),
            tuple(path[:depth]),
            keyword,
            name,
            value or "\n".join(expression),
            depth,
        )
        yield line
        if line.is_object:
            path = [*path[:depth], (keyword, name)]


def _parts(words: str) -> tuple[str, str, str]:
    named = re.fullmatch(rf"({_WORD}) (?:table )?({_NAME})(?: = ?| =$)?(.*)", words)
    if named and not words.split(" ")[0].endswith(":"):
        return named[1], named[2].strip("'").replace("''", "'"), named[3].strip()
    plain = re.fullmatch(rf"({_WORD})(?::| =)? ?(.*)", words)
    return (plain[1], "", plain[2]) if plain else (words, "", "")


def findings(text: str) -> list[str]:
    """What is wrong with a TMDL file, a line each."""
    found = []
    for line in lines_of(text):
        parent = line.path[-1][0] if line.path else ""
        if len(line.path) != line.depth:
            found.append(f"{line.number}: {line.depth} tabs, expected {len(line.path)}")
        elif line.keyword not in _WITHIN.get(parent, ()):
            found.append(f"{line.number}: {line.keyword} in {parent or 'the file'}")
        elif line.keyword in _VALUES and line.value not in _VALUES[line.keyword]:
            found.append(f"{line.number}: {line.keyword} is {line.value!r}")
        elif not line.value and not line.is_object and line.keyword not in _FLAGS:
            found.append(f"{line.number}: {line.keyword} without a value")
        elif line.keyword in {"measure", "partition", "expression"} and not line.value:
            found.append(f"{line.number}: {line.keyword} {line.name} without an expression")
    return found


@dataclass(frozen=True)
class Fields:
    """The fields of a model: of each table its columns, and its measures with their DAX."""

    columns: dict[str, list[str]]
    measures: dict[str, dict[str, str]]


def fields_of(definition: Path) -> Fields:
    """The fields of the model in a `definition` folder."""
    columns: dict[str, list[str]] = {}
    measures: dict[str, dict[str, str]] = {}
    for file in sorted((definition / "tables").glob("*.tmdl")):
        lines = list(lines_of(file.read_text("utf-8")))
        columns[file.stem] = [line.name for line in lines if line.keyword == "column"]
        measures[file.stem] = {li.name: li.value for li in lines if li.keyword == "measure"}
    return Fields(columns, measures)
