from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from usage_platform.core.load.clock_changes import offsets_between


def _s(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_a_year_in_boston_has_both_changes_at_their_second():
    found = offsets_between(ZoneInfo("America/New_York"), _s("2024-01-01"), _s("2025-01-01"))
    assert [(offset.start, offset.minutes, offset.name) for offset in found] == [
        (_s("2024-01-01"), -300, "EST"),
        (_s("2024-03-10T07:00"), -240, "EDT"),
        (_s("2024-11-03T06:00"), -300, "EST"),
    ]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata"])
def test_a_zone_without_changes_has_one_offset(zone):
    assert len(offsets_between(ZoneInfo(zone), _s("2024-01-01"), _s("2025-01-01"))) == 1


def test_the_offset_at_each_hour_of_a_year_is_the_zones():
    zone = ZoneInfo("Europe/Rome")
    start, end = _s("2024-01-01"), _s("2025-01-01")
    found = offsets_between(zone, start, end)
    for instant in range(start, end, 3600):
        current = [offset for offset in found if offset.start <= instant][-1]
        there = datetime.fromtimestamp(instant, zone).utcoffset()
        assert current.minutes * 60 == there.total_seconds()


def test_a_change_that_comes_after_the_span_is_not_told():
    assert len(offsets_between(ZoneInfo("Europe/Rome"), _s("2024-03-30"), _s("2024-03-31"))) == 1
