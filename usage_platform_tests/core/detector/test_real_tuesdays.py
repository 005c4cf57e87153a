import numpy as np
import pytest

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.score import Kind, score
from usage_platform.core.detector.train import train
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import instants_of
from usage_platform_tests.repository import SHARED_DATA

TUESDAYS = SHARED_DATA / "bpl_seven_tuesdays.csv"


@pytest.mark.skipif(not TUESDAYS.exists(), reason="the seven real Tuesdays are not there")
def test_a_real_tuesday_is_normal_until_a_reading_is_changed():
    readings = CsvSource((TUESDAYS,), Meter()).load(lambda done, of: None).frame
    # On the last Tuesday the plant ran all night: a real fault.
    instants = instants_of(readings["ts"])[:-288]
    values = readings["value"].to_numpy(np.float64)[:-288]
    start = int(instants[-288])
    model = train(instants, values, Meter(), TrainingOptions(Calendar("US", "MA")), start)
    assert score(model, instants, values, start)["flagged"].sum() == 0
    for factor in (0.0, 2.0, 10.0):
        for back in (20, 100, 180, 280):
            changed = values.copy()
            changed[-back] *= factor
            assert score(model, instants, changed, start)["flagged"].iloc[-back]


@pytest.mark.skipif(not TUESDAYS.exists(), reason="the seven real Tuesdays are not there")
def test_the_real_night_on_which_the_plant_ran_is_found():
    readings = CsvSource((TUESDAYS,), Meter()).load(lambda done, of: None).frame
    instants, values = instants_of(readings["ts"]), readings["value"].to_numpy(np.float64)
    start = int(instants[-288])
    model = train(instants, values, Meter(), TrainingOptions(Calendar("US", "MA")), start)
    judged = score(model, instants, values, start)
    assert (judged["kind"].iloc[:60] == Kind.NIGHT_LOAD).all()
    assert judged["flagged"].sum() <= 70
