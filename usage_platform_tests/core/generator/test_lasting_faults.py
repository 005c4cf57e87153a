"""A lasting fault changes the readings from its day on, and nothing before."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from usage_platform.core.findings.finding import FindingKind
from usage_platform.core.generator.building import BuildingProfile, building_load
from usage_platform.core.generator.lasting_faults import LASTING_FAULTS, faulty_building
from usage_platform.core.meters import Meter

METER = Meter("m", "America/New_York", 30)
START, BEGIN = date(2024, 1, 1), date(2024, 5, 20)
NOON = pd.Timestamp("2024-05-20 12:00", tz=METER.zone)


@pytest.fixture(scope="module")
def healthy() -> pd.DataFrame:
    return building_load(METER, START, 182, BuildingProfile(), np.random.default_rng(5))


@pytest.mark.parametrize("kind", LASTING_FAULTS)
def test_nothing_changes_before_it_begins(kind, healthy):
    begin = pd.Timestamp("2024-04-01", tz=METER.zone) if kind == "base_load_season" else NOON
    faulty = faulty_building(kind, METER, START, 182, BEGIN, 5)
    early = faulty[faulty["ts"] < begin]
    pd.testing.assert_frame_equal(early, healthy[healthy["ts"] < begin])
    assert not faulty.equals(healthy)


def test_every_kind_of_finding_has_its_fault_but_the_one_of_several_meters():
    assert set(LASTING_FAULTS) == set(FindingKind) - {FindingKind.SUB_METERS}


def test_a_night_load_comes_in_the_nights_after_three_weekdays(healthy):
    faulty = faulty_building("out_of_hours", METER, START, 182, BEGIN, 5)
    added = faulty["value"] - healthy["value"]
    local = healthy["ts"].dt.tz_convert(METER.zone)
    raised = local[added > 1]
    assert set(raised[raised.dt.hour >= 22].dt.weekday) == {0, 2, 4}
    assert set(raised[raised.dt.hour < 6].dt.weekday) == {1, 3, 5}
    assert set(raised.dt.hour) == {22, 23, 0, 1, 2, 3, 4, 5}


def test_a_silent_meter_sends_nothing_more():
    faulty = faulty_building("silent", METER, START, 182, BEGIN, 5)
    assert faulty["ts"].max() < NOON


def test_a_fault_that_is_not_known_is_refused():
    with pytest.raises(KeyError):
        faulty_building("gremlins", METER, START, 182, BEGIN, 5)
