"""A meter that a sum lacks is reported once, an hour of readings later."""

import pandas as pd

from usage_platform.core.fleet.missing_members import Missing, MissingMembers
from usage_platform.core.time.units import NS_AN_HOUR

QUARTER = NS_AN_HOUR // 4


def rows(first, last, b_from=10**6, b_until=10**6):
    """Intervals of a group of a and b; of b those before `b_until` and from `b_from` on."""
    found = []
    for n in range(first, last):
        found.append(("g", "a", n * QUARTER, True))
        found.append(("g", "b", n * QUARTER, n < b_until or n >= b_from))
    return pd.DataFrame(found, columns=["group", "meter", "start", "is_there"])


def reported(watch, *batches):
    return [one for batch in batches for one in watch.add(batch)]


def test_it_is_told_once_and_again_when_it_was_there_meanwhile():
    watch = MissingMembers()
    first = reported(watch, *(rows(n, n + 1, b_until=4) for n in range(20)))
    assert first == [Missing("g", "b", 4 * QUARTER)]
    assert first[0].line.endswith("at 1970-01-01T01:00:00+00:00, as b has no reading then")
    assert reported(watch, rows(20, 22), rows(22, 40, b_until=30)) == [
        Missing("g", "b", 30 * QUARTER)
    ]


def test_a_meter_that_is_an_hour_late_at_most_is_not_missing():
    watch = MissingMembers()
    assert reported(watch, rows(0, 4, b_until=0), rows(0, 4)) == []
    assert reported(watch, rows(4, 8, b_until=4), rows(4, 8)) == []


def test_an_interval_long_past_tells_nothing_of_a_meter_that_sends():
    watch = MissingMembers()
    assert reported(watch, rows(100, 110), rows(0, 20, b_until=0)) == []
