"""Green Button files: which meter readings are read, and what is refused in one line."""

import pytest

from usage_platform.core.measurement import Quantity, Stamp
from usage_platform.core.readings.source import SourceError
from usage_platform_tests.adapters.sources.green_button_home import (
    AT,
    HOME,
    KW,
    STARTS,
    options_of,
    understanding_in,
    values,
)
from usage_platform_tests.fixtures.green_button_writer import (
    REGISTER,
    Series,
    W,
    green_button,
)
from usage_platform_tests.fixtures.meter_file_kinds import zipped

VARH = 73


@pytest.fixture
def understand(tmp_path):
    return understanding_in(tmp_path)


@pytest.mark.parametrize(("prefix", "has_up_links"), [("", True), ("espi:", True), ("", False)])
def test_a_meter_reading_is_read(understand, prefix, has_up_links):
    found = understand(green_button([HOME], prefix=prefix, has_up_links=has_up_links))
    assert (values(found), found.uncertain, found.notes) == (KW, (), ())
    assert found.readings.frame["ts"][0].timestamp() == AT


def test_utf_16_and_an_archive_are_read(understand):
    text = green_button([HOME]).decode().replace("UTF-8", "UTF-16").encode("utf-16")
    assert values(understand(text)) == KW
    assert values(understand(zipped({"in/a.xml": green_button([HOME])}), name="f.zip")) == KW


def test_usage_points_of_one_title_are_told_apart_by_their_addresses(understand):
    text = green_button([HOME, HOME.with_values([1] * 6, point="Barn")])
    text = text.replace(b"Barn", b"Home")
    assert {one.name for one in understand(text).readings.meters} == {"1", "2"}


def test_several_readings_of_a_usage_point_are_meters_of_their_own(understand):
    found = understand(green_button([HOME, HOME.with_values([1000] * 6)]))
    assert (values(found, "Home 1"), values(found, "Home 2")) == (KW, [4] * 6)


def test_several_blocks_of_one_entry_are_read_once(understand):
    content = green_button([Series("Home", HOME.values, STARTS, blocks=2)])
    entry = b"</IntervalBlock></content></entry>"
    before, _, after = content.partition(entry)
    second = after.index(b"<IntervalBlock")
    content = before + b"</IntervalBlock>" + after[second:]
    found = understand(content)
    assert (values(found), found.readings.rows, found.readings.repeated_rows) == (KW, 6, 0)


def test_readings_that_cannot_be_told_apart_are_refused(understand):
    two = green_button([HOME, HOME.with_values([1] * 6)])
    same = two.replace(b'MeterReading/2"', b'MeterReading/1"')
    with pytest.raises(SourceError, match=r"two entries of one kind have the address '.*/1'"):
        understand(same)
    titled = two.replace(
        b"<title></title><content><MeterReading", b"<title>kWh</title><content><MeterReading"
    )
    with pytest.raises(SourceError, match="two meter readings have the name 'Home kWh'"):
        understand(titled)
    unprintable = two.replace(
        b"<title></title><content><MeterReading", b"<title>a\nb</title><content><MeterReading"
    )
    with pytest.raises(SourceError, match=r"'Home a\\nb' is no name of a meter"):
        understand(unprintable)


def test_usage_points_that_end_alike_are_named_by_their_whole_addresses(understand):
    content = green_button([HOME, HOME.with_values([1] * 6, point="Barn")])
    content = content.replace(b"Barn", b"Home").replace(
        b"/User/1/UsagePoint/2", b"/User/2/UsagePoint/1"
    )
    names = {one.name for one in understand(content).readings.meters}
    assert names == {"/User/1/UsagePoint/1", "/User/2/UsagePoint/1"}


def test_what_is_no_electricity_is_named_and_not_read(understand):
    others = [HOME.with_values([1] * 6, unit=VARH), HOME.with_values([1] * 6, unit=999)]
    found = understand(green_button([*others, HOME]))
    assert values(found) == KW
    assert found.notes == (
        "f.xml: meter reading 'Home 1' is not read: in VArh",
        "f.xml: meter reading 'Home 2' is not read: in the unit 999",
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"unit": VARH}, "in VArh; expected Wh or W"),
        ({"power_of_ten": 300}, "in units of 10 to the power of 300"),
        ({"power_of_ten": "kilo"}, "in units of 10 to the power of -9999"),
        ({"flow": "in"}, "of the flow direction -9999"),
        ({"flow": 5}, "of the flow direction 5"),
        ({"accumulation": 14}, "of the accumulation behaviour 14"),
        ({"unit": W, "accumulation": REGISTER}, "of the accumulation behaviour 1"),
        ({"unit": W, "qualifier": 8}, r"no mean power \(data qualifier 8\)"),
    ],
)
def test_a_file_without_power_or_energy_is_refused(understand, changes, why):
    with pytest.raises(SourceError, match=rf"f\.xml: meter reading 'Home 1' is not read: {why}"):
        understand(green_button([HOME.with_values(HOME.values, **changes)]))


def test_energy_and_power_of_one_point_need_the_quantity(understand):
    content = green_button([HOME, HOME.with_values([7000] * 6, unit=W)])
    found = understand(content)
    assert options_of(found) == ["--quantity energy"]
    assert values(understand(content, quantity=Quantity.ENERGY)) == KW
    found = understand(content, quantity=Quantity.POWER)
    assert (values(found), found.uncertain) == ([7] * 6, ())
    assert found.notes == ("f.xml: meter reading 'Home 1' is not read: of another quantity",)


def test_without_an_accumulation_behaviour_the_values_say_whether_they_are_a_register(understand):
    delta = HOME.with_values([250, 500, 250] * 2, accumulation=0)
    assert values(understand(green_button([delta]))) == [1, 2, 1] * 2
    rising = HOME.with_values([1, 2, 3, 4, 5, 6], accumulation=0)
    assert options_of(understand(green_button([rising]))) == ["--quantity register"]


def test_a_register_with_durations_needs_the_moment(understand):
    content = green_button(
        [HOME.with_values([0, 250, 750, 1500, 1750, 2250], accumulation=REGISTER)]
    )
    assert options_of(understand(content)) == ["--stamp end"]
    for stamp, shift in ((Stamp.START, 0), (Stamp.END, 900)):
        found = understand(content, stamp=stamp)
        assert (values(found), found.uncertain) == (KW[:5], ())
        assert found.readings.frame["ts"][0].timestamp() == AT + shift


def test_the_quality_of_values_is_kept_in_words(understand):
    content = green_button([HOME])
    for code in (b"8", b"0", b"99"):
        quality = b"<ReadingQuality><quality>" + code + b"</quality></ReadingQuality>"
        content = content.replace(b"<cost>9</cost>", quality, 1)
    found = understand(content)
    assert found.readings.quality == ("estimated", "valid", "99", "", "", "")


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"values": ["", *HOME.values[1:]]}, "value", ""),
        ({"values": ["1e3", *HOME.values[1:]]}, "value", "1e3"),
        ({"starts": ["soon", *STARTS[1:]]}, "start", "soon"),
        ({"starts": [2_145_916_800, *STARTS[1:]]}, "start", "2145916800"),
        ({"starts": [-1, *STARTS[1:]]}, "start", "-1"),
    ],
)
def test_a_value_that_cannot_be_read_costs_itself_only(understand, changes, field, text):
    found = understand(green_button([Series(**{**vars(HOME), **changes})]))
    assert values(found) == KW[1:]
    (bad,) = found.readings.bad_rows
    assert (bad.file, bad.row, bad.field, bad.text) == ("f.xml", 1, field, text)


def test_a_duration_that_is_not_the_step_is_reported(understand):
    long = Series("Home", [250], [AT + 9000], duration=3600)
    more = green_button([long]).partition(b"<IntervalReading>")[2].partition(b"</IntervalBlock>")[0]
    content = green_button([HOME]).replace(
        b"</IntervalBlock>", b"<IntervalReading>" + more + b"</IntervalBlock>"
    )
    found = understand(content)
    assert values(found) == KW
    assert "is not 15 minutes after the start" in found.readings.bad_rows[0].reason


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html><body>Log in</body></html>", "is XML without a meter reading of Green Button"),
        (b"<html><br></html>", "is no well-formed XML"),
        (green_button([HOME])[:-20], "is no well-formed XML"),
        (b"<a>" * 101, "is nested deeper than any Green Button"),
        (
            b"<a " + b" ".join(b'x%d="1"' % number for number in range(200_000)) + b"></a>",
            "has a tag or text of more than 1,048,576 bytes",
        ),
        (b"<a>" + b"x" * 2**21 + b"</a>", "has a tag or text of more than 1,048,576 bytes"),
        (green_button([HOME], declared="<!DOCTYPE feed>"), "has a document type or entities"),
        (
            green_button([HOME], declared='<!DOCTYPE feed [<!ENTITY a "b">]>'),
            "has a document type or entities",
        ),
        (
            green_button([HOME], declared='<!DOCTYPE feed SYSTEM "file:///etc/passwd">'),
            "has a document type or entities",
        ),
        (green_button([HOME.with_values([], starts=[])]), "a header and no row"),
        (
            green_button([HOME, HOME.with_values([1] * 6)], has_up_links=False),
            "no link says to which of 2 entries IntervalBlock '' belongs",
        ),
    ],
)
def test_what_is_no_green_button_is_refused_in_one_line(understand, content, message):
    with pytest.raises(SourceError, match=rf"f\.xml: {message}") as refused:
        understand(content)
    assert "\n" not in str(refused.value)


def test_interval_readings_are_discarded_as_they_are_read(understand, monkeypatch):
    from usage_platform.adapters.sources import green_button_xml

    left = []
    add_entry = green_button_xml._Feed._add_entry

    def counted(feed, element):
        left.append(len(list(element.iter())))
        add_entry(feed, element)

    monkeypatch.setattr(green_button_xml._Feed, "_add_entry", counted)
    understand(green_button([Series("Home", [1] * 500, [AT + 900 * at for at in range(500)])]))
    assert max(left) < 12
