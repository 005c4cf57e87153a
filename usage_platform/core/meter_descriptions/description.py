"""The description of one meter, as people write it in `meters.yaml`.

Belongs here: its fields, what holds between them, and what is valid at a time. Not here: the file
(`parsing`), what follows for the known meters (`registry`) and for files (`meter_files`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Annotated, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from usage_platform.core.measurement import (
    Quantity,
    ReadingUnit,
    Sign,
    Stamp,
    Unit,
    units_that_fit,
)
from usage_platform.core.meter_descriptions.samples import (
    SampleDescription,
    SampleDescriptions,
    Size,
)
from usage_platform.core.meters import INTERVALS, INTERVALS_SHOWN, is_meter_name, is_timezone

_CONSTANT = ("timezone",)
"""Fields that no version may change: rows of both versions would stand in the same tables."""


def _name(text: object) -> str:
    if isinstance(text, str) and is_meter_name(text):
        return text
    raise ValueError("expected a name of 1 to 200 printable characters, not all blank")


def _zone(text: object) -> str:
    if isinstance(text, str) and is_timezone(text):
        return text
    raise ValueError("expected an IANA time zone such as America/New_York")


def _interval(text: object) -> int:
    try:
        minutes = int(str(text))
    except ValueError:
        minutes = 0
    if minutes not in INTERVALS:
        raise ValueError(f"expected minutes that divide an hour: {INTERVALS_SHOWN}")
    return minutes


def _day(text: object) -> date:
    try:
        return text if isinstance(text, date) else date.fromisoformat(str(text))
    except ValueError:
        raise ValueError("expected a day such as 2024-03-05") from None


@dataclass(frozen=True)
class Measured:
    """What a meter's values are during one version.

    Attributes:
        quantity: What a value measures; None: the source says it.
        unit: Its unit; None: the source says it.
        register_size: Where the register begins at 0 again, in the unit; None: at the power of ten
            above its values.
        factor: By what values are multiplied, such as the ratio of a current transformer; of a
            volume the kWh of one m3 or l.
        stamp: Which moment of its interval a row carries; None: the source says it.
        sign: Whether values below 0 are export; None: the source says it.
        step: Minutes between rows, where a version says its interval; None: the rows show it.
    """

    quantity: Quantity | None = None
    unit: Unit | None = None
    register_size: float | None = None
    factor: float = 1.0
    stamp: Stamp | None = None
    sign: Sign | None = None
    step: int | None = None


class _Fields(BaseModel):
    """The fields that a version may change."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quantity: Quantity | None = None
    unit: Unit | None = None
    register_size: Size | None = None
    factor: Size | None = None
    stamp: Stamp | None = None
    sign: Sign | None = None

    def after(self, before: Measured) -> Measured:
        """What is measured from here on: the fields that are given, else those of before."""
        quantity = self.quantity or before.quantity
        size = self.register_size or before.register_size
        return Measured(
            quantity,
            self.unit or before.unit,
            size if quantity is Quantity.REGISTER else None,
            self.factor or before.factor,
            self.stamp or before.stamp,
            self.sign or before.sign,
            before.step,
        )


class Version(_Fields):
    """What is another way from a day on; the other fields stay as before.

    Attributes:
        valid_from: Its first day, local.
        interval: Minutes between rows of sources from then on. Readings keep the interval of the
            meter, which it divides: finer rows are averaged.
    """

    valid_from: Annotated[date, BeforeValidator(_day)]
    interval: Annotated[int, BeforeValidator(_interval)] | None = None

    @model_validator(mode="before")
    @classmethod
    def _changes_no_constant(cls, fields: object) -> object:
        given = list(cast("Mapping[str, object]", fields)) if isinstance(fields, Mapping) else []
        fixed = [name for name in _CONSTANT if name in given]
        if fixed:
            raise ValueError(
                f"{fixed[0]} cannot change from a day on; expected interval, quantity, unit, "
                f"register_size, factor, stamp or sign; describe a meter whose {fixed[0]} changes "
                "under another name from that day on"
            )
        return cast("object", fields)


class MeterDescription(_Fields):
    """What people say of one meter; None: the source or the settings say it.

    Attributes:
        name: Its name on the topic and in the tables.
        timezone: IANA name of the building's zone.
        interval: Minutes of an interval of its readings.
        samples: How what the live meter sends is read.
        versions: What changes from a day on, in order.
    """

    name: Annotated[str, BeforeValidator(_name)]
    timezone: Annotated[str, BeforeValidator(_zone)] | None = None
    interval: Annotated[int, BeforeValidator(_interval)] | None = None
    samples: SampleDescription | None = None
    versions: tuple[Version, ...] = ()

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        for one, other in pairwise(self.versions):
            if other.valid_from <= one.valid_from:
                raise ValueError(
                    f"versions: expected days in order, each once; {other.valid_from} follows "
                    f"{one.valid_from}"
                )
        phases = self.phases()
        for part, (_, measured) in zip((self, *self.versions), phases, strict=True):
            where = f"version {part.valid_from}: " if isinstance(part, Version) else ""
            _check(where, part, measured)
            if isinstance(part, Version) and part.interval is not None:
                self._check_interval(where, part.interval)
        units = self._reading_units()
        if len(units) > 1:
            raise ValueError(
                f"unit: its values would be read in {' and in '.join(units)}; expected one unit "
                "for all versions and samples, with the factor (kWh of one m3 or l) in all of them "
                "or in none, as a meter's readings stand in the same tables"
            )
        has_factor = any(measured.factor != 1 for _, measured in phases)
        if has_factor and self.samples is not None and self.samples.factor is None:
            raise ValueError(
                "samples: factor: expected, as the meter has a factor; say the same one, or 1 if "
                "the device sends values that are multiplied already"
            )
        are_registers = all(m.quantity is Quantity.REGISTER for _, m in phases)
        if self.versions and self.stamp is None and not are_registers:
            raise ValueError(
                "stamp: expected start or end where there are versions, as it says whose the row "
                "at midnight is"
            )
        return self

    def _check_interval(self, where: str, minutes: int) -> None:
        """Whether rows of a version can become readings of the meter's interval.

        Raises:
            ValueError: In one line, when they cannot.
        """
        if self.interval is None:
            raise ValueError(
                f"interval: expected where a version has one ({where}interval {minutes}), as the "
                "readings keep one for all times; say one that those of all versions divide"
            )
        if self.interval % minutes:
            raise ValueError(
                f"{where}interval: expected minutes that divide the meter's interval of "
                f"{self.interval}, as its readings keep that one for all times, got {minutes}; say "
                "an interval of the meter that both divide, or describe the new one under another "
                "name from that day on"
            )

    @property
    def usual_sign(self) -> Sign | None:
        """The sign for events and tables: net if it ever is; None: the source says it."""
        signs = {measured.sign for _, measured in self.phases()}
        return Sign.NET if Sign.NET in signs else self.sign

    @property
    def reading_unit(self) -> ReadingUnit | None:
        """The unit of its readings; None: the source says it."""
        units = self._reading_units()
        return units[0] if units else None

    def _reading_units(self) -> list[ReadingUnit]:
        """The units in which its readings would be, each once; none if no unit is said."""
        said = [m.unit.reading_unit(m.factor) for _, m in self.phases() if m.unit is not None]
        if self.samples is not None:
            said.append(self.samples.unit.reading_unit(self.samples.factor or 1.0))
        return list(dict.fromkeys(said))

    def phases(self) -> tuple[tuple[date | None, Measured], ...]:
        """What is measured from which local day on, in order; the first from the beginning on."""
        found: list[tuple[date | None, Measured]] = [(None, self.after(Measured()))]
        for version in self.versions:
            before = found[-1][1]
            measured = replace(version.after(before), step=version.interval or before.step)
            found.append((version.valid_from, measured))
        return tuple(found)


def _check(where: str, part: _Fields, measured: Measured) -> None:
    """What holds between the fields of a version.

    Raises:
        ValueError: In one line that begins with the place.
    """
    quantity, unit = measured.quantity, measured.unit
    if quantity is not None and unit is not None and not unit.fits(quantity):
        raise ValueError(
            f"{where}unit: expected {units_that_fit(quantity)} for the quantity {quantity}, got "
            f"{unit}"
        )
    if part.register_size is not None and quantity is not Quantity.REGISTER:
        raise ValueError(
            f"{where}register_size: expected for the quantity register only; say quantity: "
            "register, or leave it out"
        )


Descriptions = Mapping[str, MeterDescription]
"""Descriptions by the meter's name."""


def sample_descriptions(descriptions: Descriptions) -> SampleDescriptions:
    """How samples are read, of the meters of which it is said."""
    return {name: one.samples for name, one in descriptions.items() if one.samples is not None}
