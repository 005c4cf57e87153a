import pandas as pd
import pytest

from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.feedback.labels import (
    NO_LABELS,
    Agreement,
    Verdict,
    agreement,
    left_out,
    silenced,
)
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.time.units import instants_of
from usage_platform_tests.core.detector.made_models import (
    cut_forests,
    hourly,
    label,
    model,
    timeline_of,
)

METER = Meter("m", "America/New_York", 60)
START = pd.Timestamp("2024-03-05T10:00:00Z")
HOUR = pd.Timedelta(hours=1)
INSTANTS = instants_of(pd.Series(pd.date_range(START, periods=6, freq="h", unit="ns")))
WINDOW = [False, True, True, False, False, False]
NOTHING = [False] * 6


def of(says, meter="m"):
    return label(meter, START + HOUR, START + 3 * HOUR, says)


@pytest.mark.parametrize(
    ("says", "kept_out", "silent"),
    [
        (Verdict.TRUE, WINDOW, NOTHING),
        (Verdict.PLANNED, WINDOW, WINDOW),
        (Verdict.FALSE, NOTHING, NOTHING),
    ],
)
def test_a_label_says_something_of_exactly_its_stretch(says, kept_out, silent):
    assert left_out("m", INSTANTS, of(says)).tolist() == kept_out
    assert silenced("m", INSTANTS, of(says)).tolist() == silent


def test_a_label_says_nothing_of_another_meter():
    labels = of(Verdict.PLANNED, "other")
    assert not left_out("m", INSTANTS, labels).any()
    assert not silenced("m", INSTANTS, labels).any()


def test_stretches_that_overlap_count_once_and_none_leaves_all():
    both = pd.concat([of("true"), label("m", START, START + 2 * HOUR, "planned")])
    assert left_out("m", INSTANTS, both).tolist() == [True, True, True, False, False, False]
    assert silenced("m", INSTANTS, both).tolist() == [True, True, False, False, False, False]
    assert not left_out("m", INSTANTS, NO_LABELS).any()


@pytest.mark.parametrize(
    ("says", "told"), [("planned", [0, 3, 4, 5]), ("true", range(6)), ("false", range(6))]
)
def test_only_what_was_planned_is_not_told(says, told):
    timeline = timeline_of(model("v", START, {"m": cut_forests(METER)}), labels=of(says))
    found = find_anomalies(hourly(START, [500.0] * 6), timeline, MeterRegistry(METER))
    assert found.anomalies["event_time"].tolist() == [START + n * HOUR for n in told]
    assert found.scored == 6


def told(*hours, episode="e"):
    times = pd.Series([START + hour * HOUR for hour in hours], dtype="datetime64[ns, UTC]")
    return pd.DataFrame({"meter": "m", "event_time": times, "episode": episode})


def test_an_episode_in_a_stretch_that_was_odd_is_right_however_many_readings_it_has():
    assert agreement(told(1, 2, 4), of(Verdict.TRUE)) == Agreement(1, 0, 0)


def test_an_odd_stretch_of_which_nothing_was_told_is_missed():
    assert agreement(told(3, 4), of(Verdict.TRUE)) == Agreement(0, 0, 1)
    assert agreement(told(1), of(Verdict.TRUE, "other")) == Agreement(0, 0, 1)


def test_an_episode_that_people_call_none_is_wrong_unless_it_reaches_into_an_odd_one():
    false = label("m", START + 4 * HOUR, START + 5 * HOUR, Verdict.FALSE)
    assert agreement(told(4), false) == Agreement(0, 1, 0)
    both = pd.concat([of(Verdict.TRUE), false], ignore_index=True)
    assert agreement(told(2, 4), both) == Agreement(1, 0, 0)


def test_without_labels_nothing_is_right_or_wrong():
    assert agreement(told(1), NO_LABELS) == agreement(told(), of(Verdict.PLANNED))
    assert agreement(told(1), NO_LABELS) == Agreement(0, 0, 0)
