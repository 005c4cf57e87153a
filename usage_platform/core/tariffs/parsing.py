"""The content of a tariff file as tariffs, or one line that says what is wrong in it.

Belongs here: the file's form, rules between tariffs. Not here: reading the file
(`adapters.stores.tariffs`), rules within a tariff (`tariff`), the wording of errors
(`core.form_errors`).
"""

from collections import Counter
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, ValidationError

from usage_platform.core.form_errors import form_error
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.field_types import ALL_METERS
from usage_platform.core.tariffs.tariff import Tariff

_ONE_OF = {"tariffs": "tariff", "versions": "version"}
_PAGE = "docs/tariffs.md"


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
        raise TariffError(f"{file}: {form_error(error, content, _ONE_OF, _PAGE)}") from None
    problem = _problem_between(tariffs)
    if problem:
        raise TariffError(f"{file}: {problem}")
    return TariffBook(tariffs)


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
