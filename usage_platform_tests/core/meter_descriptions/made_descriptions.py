"""Descriptions of meters for tests of properties."""

from datetime import date, timedelta

from hypothesis import strategies as st

from usage_platform.core.measurement import Quantity, Sign, Stamp, Unit
from usage_platform.core.meter_descriptions.description import MeterDescription, Version
from usage_platform.core.meters import INTERVALS, is_meter_name

NAMES = st.text(min_size=1, max_size=200).filter(is_meter_name)
_ZONES = st.sampled_from(["Europe/Rome", "America/St_Johns", "Asia/Kathmandu", "UTC"])
_NUMBERS = st.floats(1e-6, 1e12)


def _or_none(strategy):
    return st.none() | strategy


@st.composite
def measured(draw):
    """Fields that a version may hold, consistent by themselves."""
    quantity = draw(st.sampled_from(Quantity))
    fields = {"quantity": quantity, "factor": draw(_or_none(_NUMBERS))}
    fields["sign"] = draw(_or_none(st.sampled_from(Sign)))
    fields["unit"] = draw(st.sampled_from([unit for unit in Unit if unit.fits(quantity)]))
    if quantity is Quantity.REGISTER:
        fields["register_size"] = draw(_or_none(_NUMBERS))
    return fields


@st.composite
def descriptions(draw):
    """A description with up to three versions."""
    days = draw(st.lists(st.integers(0, 10_000), max_size=3, unique=True).map(sorted))
    versions = tuple(
        Version(
            valid_from=date(2000, 1, 1) + timedelta(day),
            stamp=draw(_or_none(st.sampled_from(Stamp))),
            **draw(measured()),
        )
        for day in days
    )
    stamps = st.sampled_from(Stamp)
    return MeterDescription(
        name=draw(NAMES),
        timezone=draw(_or_none(_ZONES)),
        interval=draw(_or_none(st.sampled_from(INTERVALS))),
        stamp=draw(stamps if versions else _or_none(stamps)),
        versions=versions,
        **draw(measured()),
    )
