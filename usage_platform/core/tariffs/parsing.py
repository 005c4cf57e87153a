"""The content of a tariff file as tariffs, or one line that says what is wrong in it.

Belongs here: the file's form, rules between tariffs, the wording of errors. Not here: reading the
file (`adapters.stores.tariffs`), rules within a tariff (`tariff`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import cast

from pydantic import BaseModel, ConfigDict, ValidationError

from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.field_types import ALL_METERS
from usage_platform.core.tariffs.tariff import Tariff

_LONGEST = 60
_ONE_OF = {"tariffs": "tariff", "versions": "version"}
_NAMING = ("name", "valid_from")
_EXPECTED = {
    "missing": "expected this field, which is missing",
    "extra_forbidden": "unknown field; expected one of those in docs/tariffs.md",
    "int_parsing": "expected a whole number",
    "tuple_type": "expected a list",
    "string_type": "expected a text",
    "model_type": "expected fields, a line each",
    "model_attributes_type": "expected fields, a line each",
}


class TariffError(ValueError):
    """A tariff file with invalid content; one line with file, tariff, field and what to write."""


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    tariffs: tuple[Tariff, ...]


def parse_tariffs(content: object, file: str) -> TariffBook:
    """The tariffs of a file.

    Args:
        content: The file as dictionaries, lists and texts; numbers too are texts, so that none
            passes through a binary fraction.
        file: Its name, for errors.

    Raises:
        TariffError: In one line.
    """
    try:
        tariffs = _File.model_validate(content).tariffs
    except ValidationError as error:
        first = error.errors()[0]
        where = _place(first["loc"], content)
        got = first["input"]
        is_shown = isinstance(got, str) and first["type"] != "extra_forbidden"
        shown = f", got {got[:_LONGEST]!r}" if is_shown else ""
        raise TariffError(f"{file}: {where}{_reason(first['type'], first['msg'])}{shown}") from None
    problem = _problem_between(tariffs)
    if problem:
        raise TariffError(f"{file}: {problem}")
    return TariffBook(tariffs)


def _reason(kind: str, message: str) -> str:
    message = message.removeprefix("Value error, ")
    return _EXPECTED.get(kind, message.replace("Input should be", "expected a value"))


def _place(loc: Sequence[int | str], content: object) -> str:
    """Where an error is, with the names of tariffs, versions and periods in place of numbers."""
    words: list[str] = []
    found = content
    for step in loc:
        if isinstance(step, int) and isinstance(found, Sequence):
            found = cast("Sequence[object]", found)[step]
            words[-1] = f"{_ONE_OF.get(words[-1], words[-1])} {_name_of(found) or step + 1}"
        elif isinstance(found, Mapping):
            found = cast("Mapping[str, object]", found).get(str(step))
            words.append(str(step))
    return "".join(f"{word}: " for word in words)


def _name_of(found: object) -> str:
    if not isinstance(found, Mapping):
        return ""
    fields = cast("Mapping[str, object]", found)
    named = (fields.get(name) for name in _NAMING)
    return next((name[:_LONGEST] for name in named if isinstance(name, str)), "")


def _problem_between(tariffs: Sequence[Tariff]) -> str | None:
    counts = Counter(tariff.name for tariff in tariffs)
    for name, count in counts.items():
        if count > 1:
            return f"tariff {name}: name: expected each name once, got it {count} times"
    for is_carbon in (False, True):
        owners: dict[str, str] = {}
        for tariff in tariffs:
            if tariff.is_carbon is not is_carbon:
                continue
            names = (ALL_METERS,) if tariff.meters == ALL_METERS else tariff.meters
            for meter in names:
                if meter in owners:
                    kind = "tariff in gCO2" if is_carbon else "tariff in a currency"
                    return (
                        f"tariff {tariff.name}: meters: expected one {kind} for {meter}, got it in "
                        f"tariff {owners[meter]} too"
                    )
                owners[meter] = tariff.name
    return None
