"""Peak warnings on Kafka: one for a meter and day, over kills, and ended with its outcome."""

import json
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import numpy as np
import pytest

from usage_platform.adapters.kafka.topics import EPISODE
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.peak_record import PeakRecords
from usage_platform.core.anomalies.message_parsing import parse_episode, parse_episode_event
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.time.units import NS_AN_HOUR
from usage_platform.services import peak_warnings, score_fencing
from usage_platform.services.peak_publisher import PeakFencedError, PeakPublisher
from usage_platform.services.peak_warnings import publish_peak_warnings
from usage_platform_tests.core.forecast.made_history import at, healthy
from usage_platform_tests.services.peaked_meters import (
    DAY,
    LAKE_ID,
    NAME,
    PEAK_KW,
    fill,
    inputs_of,
    write,
)
from usage_platform_tests.stray_messages import STRAY

pytestmark = pytest.mark.kafka
MIDNIGHT = at(DAY)
WARNED_AT = MIDNIGHT + NS_AN_HOUR // 6


@pytest.fixture
def filled(lake):
    fill(lake, MIDNIGHT)
    return lake


def run(kafka, lake, as_of=WARNED_AT):
    records = PeakRecords(LakeFiles(lake.assets))
    publisher = PeakPublisher(kafka, LAKE_ID)
    return publish_peak_warnings(inputs_of(lake), publisher, records, as_of, print)


def go_on(lake, hours, values=None):
    """The readings of the first hours of the day."""
    series = healthy().since(MIDNIGHT)
    given = series.values[:hours] if values is None else np.array(values)
    write(lake, "m", series.instants[:hours], given)


@pytest.fixture
def lives(kafka, read_all):
    """What readers of committed messages see of warnings."""

    def read():
        found = [parse_episode(message.value()) for message in read_all(kafka, EPISODE)]
        return [
            (one["meter"], one["episode"], one["status"], one.get("outcome"))
            for one in found
            if one is not None and one.get("kind") == "peak_warning"
        ]

    return read


OPENED = ("m", NAME, "opened", None)


def test_a_meter_is_warned_once_a_day_and_told_when_the_peak_was_exceeded(kafka, filled, lives):
    done = run(kafka, filled)
    assert (done.examined, done.opened, done.closed, done.failed) == (2, 1, 0, {})
    assert lives() == [OPENED]
    again = run(kafka, filled, WARNED_AT + NS_AN_HOUR)
    assert (again.examined, again.opened, again.closed) == (0, 0, 0)
    go_on(filled, 10, [*[PEAK_KW] * 9, PEAK_KW + 1])
    assert run(kafka, filled, MIDNIGHT + 10 * NS_AN_HOUR).closed == 1
    run(kafka, filled, MIDNIGHT + 11 * NS_AN_HOUR)
    assert lives() == [OPENED, ("m", NAME, "closed", "exceeded")]


def test_a_day_without_a_new_peak_ends_the_warning_when_it_is_over(kafka, filled, lives):
    run(kafka, filled)
    go_on(filled, 23, [PEAK_KW] * 23)
    run(kafka, filled, MIDNIGHT + 24 * NS_AN_HOUR)
    assert lives() == [OPENED]
    write(filled, "m", np.array([MIDNIGHT + 23 * NS_AN_HOUR]), np.array([1.0]))
    run(kafka, filled, MIDNIGHT + 24 * NS_AN_HOUR)
    assert lives()[1] == ("m", NAME, "closed", "held")


def test_readings_that_never_come_end_it_with_an_unknown_outcome(kafka, filled, lives):
    run(kafka, filled)
    run(kafka, filled, MIDNIGHT + 26 * NS_AN_HOUR)
    assert lives() == [OPENED]
    run(kafka, filled, MIDNIGHT + 27 * NS_AN_HOUR)
    assert lives()[1] == ("m", NAME, "closed", "unknown")


@pytest.mark.parametrize("cut", ["before the commit", "before the record"])
def test_a_kill_loses_no_warning_and_publishes_none_twice(kafka, filled, lives, cut):
    module = "usage_platform_tests.services.peaks_to_cut"
    given = (kafka.bootstrap, filled.root, str(WARNED_AT), cut)
    killed = subprocess.run((sys.executable, "-m", module, *given), check=False)
    assert killed.returncode == -signal.SIGKILL
    # The next run aborts what was not committed, and finds on the topic what was.
    done = run(kafka, filled, WARNED_AT + NS_AN_HOUR)
    assert done.examined == 2
    assert done.opened == (cut == "before the commit")
    assert lives() == [OPENED]


def test_a_meter_of_water_has_no_peak_to_be_warned_of(kafka, filled, lives):
    inputs = inputs_of(filled)
    water = replace(inputs.registry.get("m"), unit=ReadingUnit.M3_H)
    inputs = replace(inputs, registry=inputs.registry.with_meters([water]))
    publisher, records = PeakPublisher(kafka, LAKE_ID), PeakRecords(LakeFiles(filled.assets))
    done = publish_peak_warnings(inputs, publisher, records, WARNED_AT, print)
    assert (done.examined, done.opened) == (1, 0)
    assert lives() == []


def test_without_its_record_nothing_is_published_twice(kafka, filled, lives):
    run(kafka, filled)
    LakeFiles(filled.assets).delete("peak_warnings.json")
    assert run(kafka, filled).opened == 0
    assert lives() == [OPENED]


def test_what_lies_behind_an_open_transaction_of_the_scorer_is_known(kafka, filled, lives):
    scorer = score_fencing.transactional_producer(kafka, "anomaly-scorer")
    scorer.init_transactions(30)
    scorer.begin_transaction()
    scorer.produce(EPISODE, b"{}")
    scorer.flush(30)
    run(kafka, filled)
    LakeFiles(filled.assets).delete("peak_warnings.json")
    ending = threading.Timer(1.0, scorer.commit_transaction, (30,))
    ending.start()
    assert run(kafka, filled).opened == 0
    ending.join()
    assert lives() == [OPENED]


def test_a_run_that_another_one_has_replaced_publishes_nothing(kafka, filled, lives, read_all):
    first = PeakPublisher(kafka, LAKE_ID)
    run(kafka, filled)
    (message,) = read_all(kafka, EPISODE)
    with pytest.raises(PeakFencedError, match="another run publishes"):
        first.publish([parse_episode_event(message.value())])
    assert lives() == [OPENED]


def test_what_is_late_before_midnight_is_waited_for_and_history_warns_nobody(kafka, lake, lives):
    fill(lake, MIDNIGHT - NS_AN_HOUR)
    assert run(kafka, lake).examined == 0
    assert run(kafka, lake, MIDNIGHT + 3 * NS_AN_HOUR).examined == 2
    assert lives() == [OPENED]


def test_a_peak_that_was_exceeded_before_the_day_was_examined_gives_no_warning(
    kafka, filled, lives
):
    go_on(filled, 2, [PEAK_KW, PEAK_KW + 1])
    assert run(kafka, filled, MIDNIGHT + 2 * NS_AN_HOUR).examined == 2
    assert lives() == []


def test_strays_on_the_topic_stop_nothing(kafka, filled, lives, put):
    like_one = {
        "event_id": "1",
        "meter": "m",
        "episode": NAME,
        "status": "opened",
        "kind": "peak_warning",
        "at": NAME,
        "start": NAME,
        "end": NAME,
        "severity": "low",
        "explanation": "no peak_kw",
    }
    far = like_one | {
        **dict.fromkeys(
            ("peak_kw", "probability", "expected_kw", "expected_low_kw", "expected_high_kw"), 1.0
        ),
        "expected_at": "9999-01-01T00:00:00Z",
    }
    put(kafka, [*STRAY, *(json.dumps(one).encode() for one in (like_one, far))], EPISODE)
    assert run(kafka, filled).opened == 1
    assert run(kafka, filled).closed == 0


def test_a_meter_that_fails_is_named_and_stops_no_other(kafka, filled, lives, monkeypatch):
    whole = peak_warnings.peak_warning

    def broken(series, meter, *rest):
        if meter.name == "calm":
            raise ValueError("no such thing")
        return whole(series, meter, *rest)

    monkeypatch.setattr(peak_warnings, "peak_warning", broken)
    assert run(kafka, filled).failed == {"calm": "ValueError: no such thing"}
    assert lives() == [OPENED]
