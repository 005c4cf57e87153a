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
def measured(draw, is_volume):
    """Fields that a version may hold, consistent by themselves.

    All versions of a meter are of a volume without a factor, or none is.
    """
    quantity = draw(st.sampled_from(Quantity))
    fields = {"quantity": quantity, "factor": None if is_volume else draw(_or_none(_NUMBERS))}
    fields["sign"] = draw(_or_none(st.sampled_from(Sign)))
    fitting = [one for one in Unit if one.fits(quantity) and one.is_volume == is_volume]
    fields["unit"] = draw(st.sampled_from(fitting))
    if quantity is Quantity.REGISTER:
        fields["register_size"] = draw(_or_none(_NUMBERS))
    return fields


@st.composite
def descriptions(draw):
    """A description with up to three versions."""
    is_volume = draw(st.booleans())
    days = draw(st.lists(st.integers(0, 10_000), max_size=3, unique=True).map(sorted))
    versions = tuple(
        Version(
            valid_from=date(2000, 1, 1) + timedelta(day),
            stamp=draw(_or_none(st.sampled_from(Stamp))),
            **draw(measured(is_volume)),
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
        **draw(measured(is_volume)),
    )
