"""Storms from Kafka to a web server: one alert, once, over kills and however many are open."""

import json
import signal
import subprocess
import sys
from datetime import timedelta

import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import EPISODE
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.core.alerts.storms import PAUSE_SECONDS
from usage_platform_tests.adapters.alert_sinks.alert_receivers import web_receiver
from usage_platform_tests.services.test_deliver_alerts import ALWAYS, START, delivery

pytestmark = pytest.mark.kafka
SINCE = pd.Timestamp("2024-03-05T19:05Z")


@pytest.fixture
def web():
    with web_receiver() as receiver:
        yield receiver


def message(number, status="opened", kind="silent", start=SINCE):
    said = {
        "event_id": f"{number}{status}{start}",
        "meter": f"m{number:04}",
        "status": status,
        "at": start.isoformat(),
        "episode": f"{start:%Y-%m-%dT%H:%MZ}",
        "start": start.isoformat(),
        "end": start.isoformat(),
        "kind": kind,
        "severity": "medium",
        "explanation": "said",
    }
    return json.dumps(said).encode()


def told(web):
    return [json.loads(body)["title"] for _, body in web.posts]


def test_five_thousand_open_episodes_are_one_alert_and_no_turn_tells_them_again(
    kafka, put, web, tmp_path
):
    def turn(minutes=0):
        return delivery(kafka, web, tmp_path, "storm").turn(
            START + timedelta(minutes=minutes), ALWAYS
        )

    turn()
    put(kafka, [message(n) for n in range(5_000)], EPISODE)
    assert turn().sent == 1
    assert told(web) == ["5,000 meters silent since 14:05 (medium)"]
    # Updates of all of them, as each hour brings for other kinds, are no news.
    put(kafka, [message(n, "updated") for n in range(5_000)], EPISODE)
    assert (turn(60).sent, turn(120).sent) == (0, 0)
    put(kafka, [message(n, "closed", "gap") for n in range(4_990)], EPISODE)
    assert turn(180).sent == 1
    put(kafka, [message(n, "closed", "gap") for n in range(4_990, 5_000)], EPISODE)
    assert turn(181).sent == 1
    assert told(web)[1:] == [
        "4,990 of 5,000 meters silent since 14:05 are back",
        "all 5,000 meters silent since 14:05 are back",
    ]


@pytest.mark.parametrize(("cut", "posts"), [("before the record", 0), ("after the record", 0)])
def test_a_kill_while_a_storm_is_recorded_loses_none_of_it(kafka, put, web, tmp_path, cut, posts):
    sink = f"storm-{cut.replace(' ', '-')}"
    delivery(kafka, web, tmp_path, sink).turn(START, ALWAYS)
    put(kafka, [message(n) for n in range(30)], EPISODE)
    module = "usage_platform_tests.services.delivery_to_cut"
    killed = subprocess.run(
        (sys.executable, "-m", module, kafka.bootstrap, str(tmp_path), sink, web.url, cut),
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(web.posts) == posts
    later = START + timedelta(seconds=PAUSE_SECONDS)
    for _ in range(3):
        delivery(kafka, web, tmp_path, sink).turn(later, ALWAYS)
    assert told(web) == ["30 meters silent since 14:05 (medium)"]


def test_a_storm_that_is_not_taken_is_tried_again_under_the_same_key(kafka, put, web, tmp_path):
    delivery(kafka, web, tmp_path, "slow").turn(START, ALWAYS)
    put(kafka, [message(n) for n in range(30)], EPISODE)
    web.statuses = [503]
    assert delivery(kafka, web, tmp_path, "slow").turn(START, ALWAYS).waits
    put(kafka, [message(n) for n in range(30, 40)], EPISODE)
    later = START + timedelta(seconds=11)
    assert delivery(kafka, web, tmp_path, "slow").turn(later, ALWAYS).sent == 1
    bodies = [json.loads(body) for _, body in web.posts]
    assert bodies[0] == bodies[1]
    kept = AlertRecord(LakeFiles(str(tmp_path)), "slow").read()
    (storm,) = kept.storms.values()
    assert (storm.members, storm.sent) == (40, (30, 0))
