"""The types of single fields of a tariff file: numbers, days, names, units.

Belongs here: how a field is written, and the message about one that is not. Not here: what the
fields mean (`charges`, `tariff`), local times (`times`).
"""

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from usage_platform.core.tariffs.money import PRICE_DECIMALS

CARBON = "gCO2"
"""The unit of a tariff in grams of CO2 in place of a currency."""

ALL_METERS = "all"
_WINDOWS = (5, 10, 15, 30, 60)
_NUMBER = re.compile(rf"-?\d{{1,9}}(\.\d{{1,{PRICE_DECIMALS}}})?", re.ASCII)


def _number(text: object) -> Decimal:
    if isinstance(text, Decimal):
        return text
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise ValueError(
            f"expected a number such as 0.25, with a point and at most {PRICE_DECIMALS} decimals"
        )
    return Decimal(text)


def _day(text: object) -> date:
    try:
        return text if isinstance(text, date) else date.fromisoformat(str(text))
    except ValueError:
        raise ValueError("expected a day such as 2024-03-05") from None


def _unit(text: object) -> str:
    if isinstance(text, str) and (text == CARBON or re.fullmatch("[A-Z]{3}", text)):
        return text
    raise ValueError(f"expected a currency such as EUR, or {CARBON}")


def _meters(names: object) -> object:
    if names == ALL_METERS or (isinstance(names, list | tuple) and names):
        return cast("object", names)
    raise ValueError(f"expected a list of names of meters, or {ALL_METERS}")


def _window(minutes: int) -> int:
    if minutes not in _WINDOWS:
        raise ValueError("expected 5, 10, 15, 30 or 60")
    return minutes


class Fields(BaseModel):
    """A part of the file: its fields cannot change, and no others may be there."""

    model_config = ConfigDict(frozen=True, extra="forbid")


Number = Annotated[Decimal, BeforeValidator(_number)]
Amount = Annotated[Number, Field(ge=0)]
Share = Annotated[Number, Field(ge=0, le=1000)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
WindowMinutes = Annotated[int, AfterValidator(_window)]
ValidFrom = Annotated[date, BeforeValidator(_day)]
UnitName = Annotated[str, BeforeValidator(_unit)]
MeterNames = Annotated[Literal["all"] | tuple[Name, ...], BeforeValidator(_meters)]
