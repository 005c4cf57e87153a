"""Changing descriptions by single fields."""

from datetime import date

import pytest

from usage_platform.core.measurement import Quantity, Stamp, Unit
from usage_platform.core.meter_descriptions.description import Measured, MeterDescription
from usage_platform.core.meter_descriptions.edits import added, changed

EAST = MeterDescription(name="east", unit=Unit.KWH, interval=15, stamp="end")
FOUND = {"east": EAST}
MARCH = date(2024, 3, 1)


def test_a_meter_is_added():
    new = added(FOUND, "west", {"quantity": "register", "unit": "kWh", "factor": "80"})
    assert new.phases() == ((None, Measured(Quantity.REGISTER, Unit.KWH, None, 80)),)


def test_fields_without_a_word_stay():
    assert changed(FOUND, "east", {"unit": "Wh"}, None) == EAST.model_copy(update={"unit": "Wh"})


def test_a_change_from_a_day_on_is_a_version_and_is_changed_in_turn():
    one = changed(FOUND, "east", {"quantity": "energy"}, MARCH)
    two = changed({"east": one}, "east", {"factor": "2"}, MARCH)
    three = changed({"east": two}, "east", {"unit": "Wh"}, date(2024, 2, 1))
    end = Stamp.END
    assert three.phases() == (
        (None, Measured(None, Unit.KWH, stamp=end)),
        (date(2024, 2, 1), Measured(None, Unit.WH, stamp=end)),
        (MARCH, Measured(Quantity.ENERGY, Unit.WH, None, 2, end)),
    )


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (lambda: added(FOUND, "east", {}), "meter east: is described already"),
        (lambda: added(FOUND, "west", {"interval": "7"}), "meter west: interval: expected minut"),
        (lambda: changed(FOUND, "west", {"unit": "kWh"}, None), "meter west: is not described"),
        (lambda: changed(FOUND, "east", {}, None), "meter east: nothing to change"),
        (lambda: changed(FOUND, "east", {"timezone": "UTC"}, MARCH), "timezone cannot change fr"),
        (lambda: changed(FOUND, "east", {"interval": "30"}, MARCH), "minutes that divide the m"),
        (
            lambda: changed(FOUND, "east", {"quantity": "power"}, None),
            "expected W, kW, MW, m3/h or l/h",
        ),
    ],
)
def test_what_cannot_be_is_refused(edit, error):
    with pytest.raises(ValueError, match=error):
        edit()
