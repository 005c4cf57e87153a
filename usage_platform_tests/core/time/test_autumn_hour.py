"""The two passes of the autumn hour are told apart by the order of the rows."""

import pandas as pd
import pytest

from usage_platform.core.time.local_time import to_utc

ZONES = {
    "America/New_York": "2024-11-03",
    "Europe/Rome": "2024-10-27",
    "Australia/Adelaide": "2024-04-07",
    "Australia/Lord_Howe": "2024-04-07",
    "America/St_Johns": "2024-11-03",
}


def night(zone, minutes):
    """The instants of the hours around the change, and their wall clock."""
    start = pd.Timestamp(f"{ZONES[zone]} 00:00").tz_localize(zone)
    instants = pd.date_range(start, periods=5 * 60 // minutes, freq=f"{minutes}min")
    utc = pd.Series(instants.tz_convert("UTC"))
    return utc, pd.Series(instants.tz_localize(None))


def read(wall, zone, groups=None):
    return to_utc(wall, zone, in_file_order=True, groups=groups)


@pytest.mark.parametrize("minutes", [5, 15, 30])
@pytest.mark.parametrize("zone", ZONES)
def test_rows_oldest_first_and_newest_first_give_the_same_instants(zone, minutes):
    instants, wall = night(zone, minutes)
    assert wall.duplicated().any()
    assert list(read(wall, zone)) == list(instants)
    newest_first = wall[::-1].reset_index(drop=True)
    assert list(read(newest_first, zone)) == list(instants[::-1])


def test_a_night_that_is_given_twice_repeats_its_instants():
    instants, wall = night("America/New_York", 15)
    # Each file has lost its second pass, as of a meter that writes an hour once.
    kept = ~wall.duplicated()
    twice = pd.concat([wall[kept], wall[kept]], ignore_index=True)
    assert list(read(twice, "America/New_York")) == [*instants[kept], *instants[kept]]


@pytest.mark.parametrize("minutes", [15, 60])
def test_files_that_are_split_between_the_passes_are_one_night(minutes):
    instants, wall = night("America/New_York", minutes)
    second = wall[wall.duplicated()].index[0]
    groups = (wall.index >= second).astype("int64")
    assert list(read(wall, "America/New_York", groups)) == list(instants)


def test_meters_beside_each_other_have_their_own_passes():
    instants, wall = night("Europe/Rome", 30)
    both = pd.concat([wall, wall], ignore_index=True)
    groups = (both.index >= len(wall)).astype("int64") * 2
    assert list(read(both, "Europe/Rome", groups)) == [*instants, *instants]
