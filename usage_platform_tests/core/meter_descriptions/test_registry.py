"""What people say of meters beside sources and settings."""

from datetime import date

import pytest

from usage_platform.core.measurement import Sign
from usage_platform.core.meter_descriptions.description import MeterDescription, Version
from usage_platform.core.meter_descriptions.registry import described_default, with_descriptions
from usage_platform.core.meters import Meter, MeterRegistry

SETTINGS = Meter("main")
SOURCE = Meter("east", "Europe/Rome", 15)


def registry_with(*descriptions: MeterDescription) -> MeterRegistry:
    known = MeterRegistry(SETTINGS).with_meters([SOURCE])
    return with_descriptions(known, {one.name: one for one in descriptions})


def test_people_go_before_the_source_in_what_they_say():
    found = registry_with(MeterDescription(name="east", interval=30, sign=Sign.NET))
    assert found.get("east") == Meter("east", "Europe/Rome", 30, Sign.NET)


def test_a_meter_of_no_source_is_like_the_settings_in_what_people_do_not_say():
    found = registry_with(MeterDescription(name="west", timezone="UTC"))
    assert found.get("west") == Meter("west", "UTC", 5)
    assert found.describes("west")


def test_unknown_meters_stay_like_the_settings():
    found = registry_with(MeterDescription(name="main", interval=60, sign=Sign.NET))
    assert found.get("main") == Meter("main", SETTINGS.timezone, 60, Sign.NET)
    assert found.get("unknown") == Meter("unknown", SETTINGS.timezone, 5)


@pytest.mark.parametrize(
    ("setting", "field"),
    [(Meter("main", "Europe/Rome"), "timezone"), (Meter("main", interval_minutes=15), "interval")],
)
def test_a_setting_that_contradicts_the_file_is_refused(setting, field):
    said = {"main": MeterDescription(name="main", timezone="Asia/Kolkata", interval=30)}
    with pytest.raises(ValueError, match=f"^meter main: {field}: the file says .*--{field}"):
        described_default(setting, said)
    with pytest.raises(ValueError, match=f"^meter main: {field}"):
        with_descriptions(MeterRegistry(setting), said)


def test_settings_that_say_the_same_or_nothing_are_no_contradiction():
    said = {"main": MeterDescription(name="main", timezone="Asia/Kolkata", interval=30)}
    expected = Meter("main", "Asia/Kolkata", 30)
    assert described_default(SETTINGS, said) == expected
    assert described_default(expected, said) == expected


@pytest.mark.parametrize("first", [None, Sign.CONSUMPTION, Sign.NET])
@pytest.mark.parametrize("second", [Sign.CONSUMPTION, Sign.NET])
def test_a_meter_that_is_net_in_one_version_is_net_in_events_and_tables(first, second):
    version = Version(valid_from=date(2024, 3, 1), sign=second)
    said = MeterDescription(name="east", stamp="start", sign=first, versions=(version,))
    assert registry_with(said).get("east").is_net == (Sign.NET in (first, second))
