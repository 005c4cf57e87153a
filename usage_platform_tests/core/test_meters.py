import pytest

from usage_platform.core.meters import Meter, MeterRegistry, is_meter_name


def test_the_default_meter_is_the_library_with_twelve_readings_an_hour():
    meter = Meter()
    assert (meter.name, meter.zone.key) == ("central-library", "America/New_York")
    assert meter.readings_per_hour == 12


@pytest.mark.parametrize("name", ["a", "Hauptgebäude, Süd", "図書館", "x" * 200, " a "])
def test_a_printable_name_of_up_to_200_characters_is_a_meter_name(name):
    assert is_meter_name(name)
    assert Meter(name).name == name


@pytest.mark.parametrize(
    "name", ["", " ", "x" * 201, "a\nb", "a\x00", "\x7f", "\u2028", "\ud800", "a\u200b"]
)
def test_a_name_that_is_blank_endless_or_not_printable_is_refused_in_one_line(name):
    assert not is_meter_name(name)
    with pytest.raises(ValueError, match="1 to 200 printable") as told:
        Meter(name)
    assert len(str(told.value).splitlines()) == 1
    assert str(told.value).encode()


@pytest.mark.parametrize(
    "timezone", ["Mars/Olympus", "", "America", ".", "../x", "\0", "\ud800", "a" * 300]
)
def test_a_time_zone_that_is_not_known_is_refused_with_an_example(timezone):
    with pytest.raises(ValueError, match="America/New_York"):
        Meter("a", timezone)


@pytest.mark.parametrize("minutes", [0, -5, 7, 45, 61, 120])
def test_an_interval_that_does_not_divide_an_hour_is_refused(minutes):
    with pytest.raises(ValueError, match="does not divide an hour"):
        Meter("a", interval_minutes=minutes)


def test_an_unknown_meter_is_like_the_default_but_for_its_name():
    registry = MeterRegistry(Meter("d", "Europe/Rome", 15), {"k": Meter("k", "Asia/Tokyo", 60)})
    assert registry.get("k") == Meter("k", "Asia/Tokyo", 60)
    assert registry.get("u") == Meter("u", "Europe/Rome", 15)


def test_adding_a_meter_replaces_the_one_of_that_name_and_leaves_the_old_registry_alone():
    old = MeterRegistry().with_meters([Meter("a"), Meter("b")])
    new = old.with_meters([Meter("a", interval_minutes=60)])
    assert new.get("a").interval_minutes == 60
    assert new.get("b") == Meter("b")
    assert old.get("a").interval_minutes == 5
