"""How the samples of a live meter are read: the fields `samples` of its description.

Belongs here: the fields and what holds between them. Not here: the other fields of a meter
(`description`), reading a sample (`core.samples`).
"""

from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from usage_platform.core.measurement import Quantity, Unit, units_that_fit
from usage_platform.core.meter_descriptions.json_path import JsonPath, json_path
from usage_platform.core.time.units import NS_A_MINUTE

_MOST_PATHS = 8
_LONGEST_GAP_MINUTES = 24 * 60

Size = Annotated[float, Field(gt=0, le=1e12, allow_inf_nan=False)]
"""A number above 0; beyond the largest one a double holds no fraction of a reading."""


def _path(text: str) -> str:
    json_path(text)
    return text


def _list(value: object) -> object:
    return (value,) if isinstance(value, str) else value


_Path = Annotated[str, AfterValidator(_path)]


class SampleDescription(BaseModel):
    """What the samples of one meter are.

    Attributes:
        path: Where the value is, such as `$.ENERGY.Total`; of several, such as the registers of
            two tariffs, the sum counts.
        quantity: What the value measures: the power from this sample on, the energy since the
            sample before, or what a register shows.
        unit: Its unit.
        time_path: Where the time is; None: the time at which the platform got the sample.
        register_size: Where the register begins at 0 again, in the unit; None: at the power of ten
            above its values.
        max_gap: Minutes for which a power holds without another sample, and which two samples of a
            register or of energy may be apart.
        factor: By what values are multiplied, such as the ratio of a current transformer; of a
            volume the kWh of one m3 or l.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Annotated[
        tuple[_Path, ...], BeforeValidator(_list), Field(min_length=1, max_length=_MOST_PATHS)
    ]
    quantity: Quantity
    unit: Unit
    time_path: _Path | None = None
    register_size: Size | None = None
    max_gap: Annotated[int, Field(ge=1, le=_LONGEST_GAP_MINUTES)] = 15
    factor: Size | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        if not self.unit.fits(self.quantity):
            raise ValueError(
                f"unit: expected {units_that_fit(self.quantity)} for the quantity {self.quantity}, "
                f"got {self.unit}"
            )
        if self.quantity is Quantity.ENERGY and self.time_path is None:
            raise ValueError(
                "time_path: expected for the quantity energy, as a sample that comes twice would "
                "count twice"
            )
        if self.register_size is not None and self.quantity is not Quantity.REGISTER:
            raise ValueError("register_size: expected for the quantity register only")
        return self

    @property
    def value_paths(self) -> tuple[JsonPath, ...]:
        """`path`, read."""
        return tuple(json_path(text) for text in self.path)

    @property
    def scale(self) -> float:
        """A value of 1 in kW or m3/h; of an amount in kWh or m3."""
        return self.unit.scale(self.factor or 1.0)

    @property
    def longest_gap(self) -> int:
        """`max_gap` in ns."""
        return self.max_gap * NS_A_MINUTE


SampleDescriptions = Mapping[str, SampleDescription]
"""Descriptions by the meter's name."""
