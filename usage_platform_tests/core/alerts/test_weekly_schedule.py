"""When the weekly mail is due, on the wall clock."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from usage_platform.core.alerts.routes import Weekly
from usage_platform.core.alerts.weekly_schedule import last_due

ROME = ZoneInfo("Europe/Rome")
MONDAY = Weekly(0, 7 * 60)


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2024-03-04T06:00", "2024-03-04T06:00"),
        ("2024-03-04T05:59", "2024-02-26T06:00"),
        ("2024-03-10T23:59", "2024-03-04T06:00"),
        # The clocks change on 31 March and on 27 October.
        ("2024-04-01T05:00", "2024-04-01T05:00"),
        ("2024-10-28T06:00", "2024-10-28T06:00"),
    ],
)
def test_it_is_due_at_the_local_time_of_the_day(now, due):
    found = last_due(MONDAY, datetime.fromisoformat(now).replace(tzinfo=UTC), ROME)
    assert found == datetime.fromisoformat(due).replace(tzinfo=UTC)


def test_a_time_that_is_skipped_or_comes_twice_is_due_once():
    sunday = Weekly(6, 150)
    now, times = datetime(2024, 3, 1, tzinfo=UTC), set()
    while now < datetime(2024, 11, 30, tzinfo=UTC):
        times.add(last_due(sunday, now, ROME))
        now += timedelta(minutes=30)
    days = sorted(at.astimezone(ROME).date() for at in times)
    assert {b - a for a, b in pairwise(days)} == {timedelta(days=7)}
    assert datetime(2024, 3, 31, 1, tzinfo=UTC) in times
    assert datetime(2024, 10, 27, 0, 30, tzinfo=UTC) in times
