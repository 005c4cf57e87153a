"""Texts become numbers, with the decimal mark and thousands separators of their file.

Belongs here: which mark a column uses, and reading it. Not here: units (`units`).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_GROUPED = {
    mark: re.compile(rf"[+-]?[1-9][0-9]{{0,2}}(?:[{group}][0-9]{{3}})+(?:{re.escape(mark)}[0-9]+)?")
    for mark, group in ((".", ", '\u2019\u00a0\u202f"), (",", ". '\u2019\u00a0\u202f"))
}
# In India groups above the first have two digits.
_INDIAN = re.compile(r"[+-]?[1-9][0-9]?(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]+)?")
_ONE_GROUP = {
    mark: re.compile(rf"[+-]?[1-9][0-9]{{0,2}}{re.escape(mark)}[0-9]{{3}}") for mark in ".,"
}
_PLAIN = {
    mark: re.compile(rf"[+-]?[0-9]*{re.escape(mark)}[0-9]+(?:[eE][+-]?[0-9]+)?") for mark in ".,"
}


@dataclass(frozen=True)
class DecimalMark:
    """How numbers are written.

    Attributes:
        mark: The decimal mark, a point or a comma.
        is_certain: Whether the numbers say so; else each could be thousands as well.
    """

    mark: str
    is_certain: bool


@dataclass(frozen=True, eq=False)
class ReadNumbers:
    """The numbers of n texts.

    Attributes:
        values: float64; NaN where there is no number.
        written: Which texts are numbers.
        empty: Which are empty.
    """

    values: Floats
    written: npt.NDArray[np.bool_]
    empty: npt.NDArray[np.bool_]


def decimal_mark(texts: Sequence[str], delimiter: str) -> DecimalMark:
    """The decimal mark of a column.

    "1,234" alone may be a thousand or one and a bit; so may "1.234" where fields are not
    separated by commas.

    Args:
        texts: Cells of it.
        delimiter: What separates the fields.
    """
    cells = [_with_sign(text) for text in texts]
    points = sum(_says(cell, ".") for cell in cells)
    commas = sum(_says(cell, ",") for cell in cells)
    if points or commas:
        return DecimalMark("," if commas > points else ".", not (points and commas))
    if any(_ONE_GROUP[","].fullmatch(cell) for cell in cells):
        return DecimalMark(".", False)
    is_open = any(_ONE_GROUP["."].fullmatch(cell) for cell in cells) and delimiter not in (
        "",
        ",",
    )
    return DecimalMark(".", not is_open)


def _says(cell: str, mark: str) -> bool:
    """Whether a cell can only be written with this decimal mark."""
    if _PLAIN[mark].fullmatch(cell) and not _ONE_GROUP[mark].fullmatch(cell):
        return True
    return (
        mark in cell
        and bool(_GROUPED[mark].fullmatch(cell))
        and len(set(re.findall(r"[^\d+-]", cell))) > 1
    )


def is_number(text: str) -> bool:
    """Whether a text is a number with either mark."""
    cell = _with_sign(text)
    return bool(re.fullmatch(_NUMBER, cell)) or any(
        pattern.fullmatch(cell) for pattern in (*_GROUPED.values(), *_PLAIN.values(), _INDIAN)
    )


def _with_sign(text: str) -> str:
    """A number with its sign in front; some write a minus of typesetters, or one behind."""
    cell = text.strip().replace("\u2212", "-")
    return f"-{cell[:-1]}" if cell.endswith("-") and cell[:1].isdigit() else cell


def read_numbers(texts: pd.Series, mark: str) -> ReadNumbers:
    """Read the numbers of a column.

    Args:
        texts: The cells, as text.
        mark: The decimal mark; the other one may separate thousands, as blanks and apostrophes may.
    """
    # A meter takes few different values: each is read once.
    codes, distinct = pd.factorize(texts)
    cells = pd.Series(distinct, dtype=object).str.strip()
    signed = cells.str.endswith("-") | cells.str.contains("\u2212", regex=False)
    if signed.any():
        cells = cells.where(~signed, cells.map(_with_sign))
    plain = cells
    if mark == ",":
        has_comma = cells.str.contains(",", regex=False)
        other = cells.str.contains(".", regex=False)
        plain = cells.where(
            ~has_comma & ~other, cells.str.replace(",", ".", regex=False).where(~other, "")
        )
    written = plain.str.fullmatch(_NUMBER).to_numpy(dtype=bool)
    values = np.full(len(cells), np.nan)
    values[written] = plain.to_numpy(dtype=object)[written].astype(np.float64)
    for at in np.flatnonzero(~written):
        cell = str(cells.iloc[at])
        if _GROUPED[mark].fullmatch(cell) or (mark == "." and _INDIAN.fullmatch(cell)):
            digits = re.sub(rf"[^\d{re.escape(mark)}+-]", "", cell).replace(mark, ".")
            values[at], written[at] = float(digits), True
    return ReadNumbers(values[codes], written[codes], (cells == "").to_numpy()[codes])
