"""Sub-meters beside their main meter."""

from datetime import date

import numpy as np
import pytest

from usage_platform.core.findings.sub_meters import sub_meter_finding
from usage_platform.core.meters import Meter

MAIN = Meter("main", "Europe/Rome", 15)
FIRST = date(2024, 1, 1)
ENERGY = np.random.default_rng(0).uniform(900, 1100, 100)


def test_sub_meters_that_add_up_are_no_finding_whatever_share_is_not_metered():
    for share in (1.0, 0.8, 0.3):
        assert sub_meter_finding(MAIN, FIRST, ENERGY, share * ENERGY) is None


def test_sub_meters_that_measure_more_than_the_main_meter_are_found():
    found = sub_meter_finding(MAIN, FIRST, ENERGY, 1.2 * ENERGY)
    assert found.sentence == "The sub-meters measure 20% more than the main meter."


def test_a_sub_meter_that_stops_is_found_with_its_energy():
    children = np.where(np.arange(100) >= 86, 0.5, 0.8) * ENERGY
    found = sub_meter_finding(MAIN, FIRST, ENERGY, children)
    assert found.sentence == (
        "The sub-meters leave 50% of the main meter's energy without measurement, 20% before."
    )
    assert found.kwh == pytest.approx(0.3 * ENERGY[86:].sum())
    assert found.end.tz_convert("Europe/Rome").isoformat() == "2024-04-10T00:00:00+02:00"


def test_the_next_night_it_is_the_same_finding():
    children = np.where(np.arange(100) >= 80, 0.5, 0.8) * ENERGY
    ids = {
        sub_meter_finding(MAIN, FIRST, ENERGY[:days], children[:days]).id for days in (98, 99, 100)
    }
    assert len(ids) == 1


def test_days_without_readings_are_left_out():
    main = ENERGY.copy()
    main[-20::2] = np.nan
    assert sub_meter_finding(MAIN, FIRST, main, 1.2 * ENERGY) is not None
    main[-14:] = np.nan
    assert sub_meter_finding(MAIN, FIRST, main, 1.2 * ENERGY) is None


def test_days_that_differ_in_number_are_refused():
    with pytest.raises(ValueError, match=r"main: 100 days of the main meter, 99 of its sub-meters"):
        sub_meter_finding(MAIN, FIRST, ENERGY, ENERGY[1:])
