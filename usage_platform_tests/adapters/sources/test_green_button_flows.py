"""The two flows of a Green Button file: which one is read, and their difference."""

import pytest

from usage_platform.core.measurement import Quantity, Sign
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
from usage_platform_tests.fixtures.green_button_writer import REGISTER, REVERSE, green_button

NET = 4


@pytest.fixture
def understand(tmp_path):
    return understanding_in(tmp_path)


class TestFlows:
    back = HOME.with_values([50] * 6, flow=REVERSE, power_of_ten=1)

    def test_one_of_two_flows_is_read_where_it_is_named(self, understand):
        content = green_button([HOME, self.back])
        assert options_of(understand(content)) == ["--value-column forward"]
        assert values(understand(content, value="forward")) == KW
        found = understand(content, value="reverse")
        assert (values(found), found.notes) == ([2] * 6, ("f.xml: flows not read: forward",))
        with pytest.raises(SourceError, match="no flow 'kwh'; the flows are forward, reverse"):
            understand(content, value="kwh")

    def test_forward_minus_reverse_is_net(self, understand):
        found = understand(green_button([HOME, self.back]), sign=Sign.NET)
        assert (values(found), found.uncertain) == ([-1, 0, 1, -1, 0, 1], ())

    def test_net_has_the_quality_of_both(self, understand):
        flag = b"<ReadingQuality><quality>%d</quality></ReadingQuality>"
        content = green_button([HOME, self.back])
        before, after = content.split(b'MeterReading/2"', 1)
        content = before.replace(b"<cost>9</cost>", flag % 8, 1) + b'MeterReading/2"'
        content += after.replace(b"<cost>9</cost>", flag % 0, 2)
        found = understand(content, sign=Sign.NET)
        assert found.readings.quality == ("estimated valid", "valid", "", "", "", "")

    def test_what_has_no_partner_is_no_net_reading_and_reported(self, understand):
        later = self.back.with_values([50] * 6, starts=[at + 900 for at in STARTS])
        found = understand(green_button([HOME, later]), sign=Sign.NET)
        assert values(found) == [0, 1, -1, 0, 1]
        told = [(bad.row, bad.field) for bad in found.readings.bad_rows]
        assert told == [(1, "forward"), (12, "reverse")]

    def test_a_repeated_value_counts_once_and_another_one_is_refused(self, understand):
        twice = HOME.with_values([*HOME.values, 250], starts=[*STARTS, AT])
        found = understand(green_button([twice, self.back]), sign=Sign.NET)
        assert values(found) == [-1, 0, 1, -1, 0, 1]
        differs = HOME.with_values([*HOME.values, 251], starts=[*STARTS, AT])
        with pytest.raises(SourceError, match=r"f\.xml:7: has another value than f\.xml:1"):
            understand(green_button([differs, self.back]), sign=Sign.NET)

    def test_registers_are_not_netted(self, understand):
        both = [one.with_values(one.values, accumulation=REGISTER) for one in (HOME, self.back)]
        with pytest.raises(SourceError, match="'Home' has registers, which cannot be netted"):
            understand(green_button(both), sign=Sign.NET)

    def test_what_may_be_a_register_is_not_netted(self, understand):
        both = [one.with_values(one.values, accumulation=0) for one in (HOME, self.back)]
        with pytest.raises(SourceError, match="say so with --quantity energy"):
            understand(green_button(both), sign=Sign.NET)
        found = understand(green_button(both), sign=Sign.NET, quantity=Quantity.ENERGY)
        assert values(found) == [-1, 0, 1, -1, 0, 1]

    def test_reverse_alone_is_not_taken_for_consumption(self, understand):
        assert options_of(understand(green_button([self.back]))) == ["--value-column reverse"]

    def test_a_net_flow_needs_its_sign_where_it_is_export(self, understand):
        content = green_button([HOME.with_values([-250, 250] * 3, flow=NET)])
        found = understand(content)
        assert "say that it is a net meter's with --sign net" in found.readings.bad_rows[0].reason
        assert values(understand(content, sign=Sign.NET)) == [-1, 1] * 3
