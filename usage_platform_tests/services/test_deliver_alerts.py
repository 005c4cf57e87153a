"""Alerts from Kafka to a web server: once each, tried again, given up in the open."""

import json
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

import pytest

from usage_platform.adapters.alert_sinks.webhook import WebhookSink
from usage_platform.adapters.kafka.topics import EPISODE
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.alert_record import AlertRecord
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.alert_dead_letters import ALERT_DEAD_LETTERS
from usage_platform.services.alert_tries import MOST_TRIES
from usage_platform.services.deliver_alerts import Delivered, Delivery
from usage_platform.services.offset_marks import OtherLakeError
from usage_platform.services.sink_turn import SinkTurn
from usage_platform_tests.adapters.alert_sinks.alert_receivers import web_receiver
from usage_platform_tests.services.routed_to_cut import TARGET, turn_of
from usage_platform_tests.stray_messages import STRAY
from usage_platform_tests.topics import add_partition

START = datetime(2024, 3, 5, 18, tzinfo=UTC)
ALWAYS = repeat(True)


@pytest.fixture
def web():
    with web_receiver() as receiver:
        yield receiver


def message(episode, status="opened"):
    said = {
        "event_id": f"{episode}{status}",
        "meter": "library",
        "status": status,
        "at": "2024-03-05T13:00:00-05:00",
        "episode": f"2024-03-05T18:{episode:02}Z",
        "start": "2024-03-05T13:00:00-05:00",
        "end": "2024-03-05T13:05:00-05:00",
        "kind": "surge",
        "severity": "high",
        "excess_kwh": 1.0,
        "explanation": "surge",
    }
    return json.dumps(said).encode()


def told(web) -> list[str]:
    """The keys of the alerts that the server was asked to take, shortened."""
    return [json.loads(body)["id"].removeprefix("library/2024-03-05T18:") for _, body in web.posts]


def delivery(kafka, web, folder, sink, lake_id="lake"):
    """A new process's, as far as it knows anything."""
    record = AlertRecord(LakeFiles(str(folder)), sink)
    webhook = WebhookSink(web.url, name=sink)
    turn = SinkTurn(folder / "run" / sink)
    return Delivery(kafka, webhook, record, turn, MeterRegistry(), Severity.LOW, lake_id)


@pytest.mark.kafka
def test_a_second_lake_takes_no_alert_away_and_is_refused_in_one_line(kafka, put, web, tmp_path):
    def turn(lake_id):
        return delivery(kafka, web, tmp_path / lake_id, "shared", lake_id).turn(START, ALWAYS)

    turn("first")
    put(kafka, [message(1)], EPISODE)
    with pytest.raises(OtherLakeError, match="delete the consumer group alerts-shared") as refused:
        turn("second")
    assert "\n" not in str(refused.value)
    assert web.posts == []
    assert turn("first").sent == 1
    assert told(web) == ["01Z:opened"]


@pytest.mark.kafka
def test_alerts_are_sent_once_tried_again_later_each_time_and_then_given_up_with_the_reason(
    kafka, put, read_all, web, tmp_path
):
    def turn(at=START, time=ALWAYS):
        return delivery(kafka, web, tmp_path, "patient").turn(at, time)

    put(kafka, [message(1)], EPISODE)
    assert turn() == Delivered(), "what was there before the sink is not told"
    put(kafka, STRAY, EPISODE)
    put(kafka, [message(2), message(2, "updated"), message(3), message(2, "closed")], EPISODE)
    assert turn(time=chain([True], repeat(False))).sent == 1
    assert turn().sent == 2
    assert turn() == Delivered()
    assert told(web) == ["02Z:opened", "03Z:opened", "02Z:closed"]

    put(kafka, [message(4), message(5)], EPISODE)
    web.statuses = [503] * MOST_TRIES
    at, waits = START, []
    while len(web.statuses) > 1:
        done = turn(at)
        assert (done.sent, done.failed, done.waits) == (0, "answered 503", True)
        kept = AlertRecord(LakeFiles(str(tmp_path)), "patient").read().failing
        waits.append(kept.next_try - at.timestamp())
        assert turn(at + timedelta(seconds=waits[-1] - 1)) == Delivered(waits=True)
        at += timedelta(seconds=waits[-1])
    assert waits == [10, 20, 40, 80, 160, 300, 300]
    assert turn(at) == Delivered(sent=1, given_up=1, failed="answered 503")
    assert Counter(told(web)[3:]) == {"04Z:opened": MOST_TRIES, "05Z:opened": 1}
    (letter,) = (json.loads(m.value()) for m in read_all(kafka, ALERT_DEAD_LETTERS))
    assert letter["alert"]["id"].endswith("04Z:opened")
    assert (letter["sink"], letter["reason"], letter["tries"]) == (
        "patient",
        "answered 503",
        MOST_TRIES,
    )


@pytest.mark.kafka
@pytest.mark.parametrize(("cut", "times"), [("after the record", 1), ("before the record", 2)])
def test_a_kill_before_the_offset_is_committed_sends_again_only_what_was_not_recorded(
    kafka, put, web, tmp_path, cut, times
):
    sink = cut.replace(" ", "-")
    delivery(kafka, web, tmp_path, sink).turn(START, ALWAYS)
    put(kafka, [message(1)], EPISODE)
    delivery(kafka, web, tmp_path, sink).turn(START, ALWAYS)
    # Were the update to come again after the withdrawal, it would bring the episode back.
    put(kafka, [message(1, "updated"), message(1, "withdrawn"), message(2)], EPISODE)
    module = "usage_platform_tests.services.delivery_to_cut"
    killed = subprocess.run(
        (sys.executable, "-m", module, kafka.bootstrap, str(tmp_path), sink, web.url, cut),
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert told(web) == ["01Z:opened", "01Z:withdrawn"]
    delivery(kafka, web, tmp_path, sink).turn(START, ALWAYS)
    assert told(web) == ["01Z:opened", *["01Z:withdrawn"] * times, "02Z:opened"]
    # Whoever takes the post can tell.
    assert len({headers["Idempotency-Key"] for headers, _ in web.posts}) == 3


@pytest.mark.kafka
@pytest.mark.parametrize("cut", ["before the record", "after the record"])
def test_a_kill_while_alerts_are_held_loses_none_and_sends_one_digest(
    kafka, put, web, tmp_path, cut
):
    sink = f"held-{cut.replace(' ', '-')}"
    night = datetime(2024, 3, 6, 4, tzinfo=UTC)  # 23:00 in New York.
    # The sink delivers without routes at first; what it has not seen yet is routed.
    delivery(kafka, web, tmp_path, sink).turn(START, ALWAYS)
    put(kafka, [message(1), message(2), message(2, "closed")], EPISODE)
    module = "usage_platform_tests.services.routed_to_cut"
    killed = subprocess.run(
        (
            *(sys.executable, "-m", module, kafka.bootstrap, str(tmp_path)),
            *(web.url, sink, cut, night.isoformat()),
        ),
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL

    def turn(at):
        return dict(turn_of(kafka, LakeFiles(str(tmp_path)), web.url, sink).turn(at, 30.0))

    assert turn(night) == {sink: Delivered(), TARGET: Delivered()}
    assert web.posts == []
    assert turn(night + timedelta(hours=8))[TARGET] == Delivered(sent=1)
    ((_, body),) = web.posts
    held = json.loads(body)["event"]["alerts"]
    assert [one["id"].removeprefix("library/2024-03-05T18:") for one in held] == [
        *("01Z:opened", "02Z:opened", "02Z:closed"),
    ]
    assert turn(night + timedelta(hours=9)) == {sink: Delivered(), TARGET: Delivered()}


@pytest.mark.kafka
def test_after_the_clock_was_set_back_by_a_day_a_failed_alert_does_not_wait_for_a_day(
    kafka, put, web, tmp_path
):
    delivery(kafka, web, tmp_path, "stepped").turn(START, ALWAYS)
    put(kafka, [message(1)], EPISODE)
    web.statuses = [503]
    assert delivery(kafka, web, tmp_path, "stepped").turn(START, ALWAYS).waits
    day_before = START - timedelta(days=1)
    assert delivery(kafka, web, tmp_path, "stepped").turn(day_before, ALWAYS).sent == 1


@pytest.mark.kafka
def test_a_partition_that_was_added_is_read_from_its_start(kafka, put, web, tmp_path):
    def turn():
        return delivery(kafka, web, tmp_path, "widened").turn(START, ALWAYS)

    put(kafka, [message(1)], EPISODE)
    assert turn() == Delivered()
    add_partition(kafka, EPISODE)
    put(kafka, [(1, message(2)), (0, message(3))], EPISODE)
    assert turn().sent == 2
    assert sorted(told(web)) == ["02Z:opened", "03Z:opened"]
    assert turn() == Delivered()


@pytest.mark.kafka
@pytest.mark.parametrize("others", [0, 5])
def test_a_topic_that_was_created_again_is_read_from_its_start(
    fresh_topics, put, web, tmp_path, others
):
    def turn():
        return delivery(fresh, web, tmp_path, f"again-{others}").turn(START, ALWAYS)

    fresh = fresh_topics()
    put(fresh, [message(1), message(2)], EPISODE)
    assert turn() == Delivered()
    fresh_topics()
    # With others its end is beyond the old offset, as if nothing had happened.
    put(fresh, [message(3), *[message(4, "updated")] * others], EPISODE)
    assert turn().sent >= 1
    assert told(web)[0] == "03Z:opened"
    assert turn() == Delivered()


@pytest.mark.parametrize("text", ["{", '{"told": {"library/x": ["told", 1]}}', "[]"])
def test_a_damaged_record_is_told_in_one_line_and_not_taken_for_an_empty_one(tmp_path, text):
    (tmp_path / "alerts").mkdir()
    (tmp_path / "alerts" / "webhook.json").write_text(text)
    with pytest.raises(LakeError, match=r"alerts/webhook\.json: damaged"):
        AlertRecord(LakeFiles(str(tmp_path)), "webhook").read()
