"""What a tick of the sensor `alerts` does and says."""

import json
import threading

import pandas as pd
import pytest
from confluent_kafka import KafkaError, KafkaException

from usage_platform.adapters.kafka.topics import EPISODE, KafkaUnreachableError
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import save_meters
from usage_platform.core.anomalies.episode_messages import EpisodeStatus, episode_event
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.defs import alert_sensor
from usage_platform.services.deliver_alerts import Delivered
from usage_platform.services.routed_alerts import RoutedAlerts
from usage_platform.services.sink_turn import SinkBusyError
from usage_platform.wiring import routed as routed_wiring
from usage_platform_tests.adapters.alert_sinks.alert_receivers import web_receiver
from usage_platform_tests.defs.conftest import Platform, skipped

SINKS = {"alert_webhook_url": "http://h/secret", "alert_slack_url": "http://h/geheim"}


@pytest.fixture(autouse=True)
def episodes(monkeypatch):
    """What arrives on `episode`; a test that gives nothing has no broker to wait for it."""
    come = []

    def ends(kafka, topic):
        if not come:
            raise KafkaUnreachableError("Kafka at b:1 does not answer")
        return {0: (0, 7)}

    def arrives(kafka, behind, seconds, ending):
        assert behind == {EPISODE: {0: 7}}
        assert 0 < seconds <= alert_sensor._AWAITED_SECONDS
        come.pop(0)()
        return True

    monkeypatch.setattr(alert_sensor, "end_offsets", ends)
    monkeypatch.setattr(alert_sensor, "message_arrives", arrives)
    monkeypatch.setattr(alert_sensor, "_LINGER_SECONDS", 0)
    monkeypatch.setattr(alert_sensor, "ENDING", threading.Event())
    return come


@pytest.fixture
def turns(monkeypatch):
    """Let each sink's turn come to something given, and note how long it may take."""
    said, seconds = {}, []

    def turn(deployment, sink, share):
        seconds.append(share)
        if isinstance(said[sink.name], Exception):
            raise said[sink.name]
        return said[sink.name]

    monkeypatch.setattr(alert_sensor, "_turn", turn)
    return said, seconds


def test_where_no_place_is_set_it_says_so_and_asks_nobody(look, tmp_path):
    said = skipped(look(alert_sensor.alerts, Platform(tmp_path)))
    assert "no alert sink is configured: set USAGE_ALERT_WEBHOOK_URL" in said


def test_a_sink_that_fails_holds_up_no_other_and_no_secret_is_told(look, turns, tmp_path):
    outcomes, seconds = turns
    outcomes["webhook"] = KafkaUnreachableError("Kafka at b:1 does not answer")
    outcomes["slack"] = Delivered(sent=2)
    said = skipped(look(alert_sensor.alerts, Platform(tmp_path, **SINKS)))
    assert said.startswith("webhook: will retry at the next tick, nothing is lost: Kafka at b:1")
    assert said.endswith("; slack: 2 sent")
    assert "secret" not in said
    assert "geheim" not in said
    # The first must not use up the time of the second.
    assert seconds[0] <= alert_sensor._SECONDS / 2


def test_an_error_that_nobody_expects_fails_the_tick_after_the_other_sinks(look, turns, tmp_path):
    outcomes, seconds = turns
    outcomes["webhook"] = RuntimeError("a record that cannot be")
    outcomes["slack"] = Delivered(sent=1)
    with pytest.raises(RuntimeError, match="a record that cannot be"):
        look(alert_sensor.alerts, Platform(tmp_path, **SINKS))
    assert len(seconds) == 2


def test_an_error_of_kafka_is_said_in_words(look, turns, tmp_path):
    outcomes, _ = turns
    error = KafkaException(KafkaError(KafkaError._TIMED_OUT, "the broker is slow"))
    outcomes["webhook"] = outcomes["slack"] = error
    said = skipped(look(alert_sensor.alerts, Platform(tmp_path, **SINKS)))
    assert said.endswith("nothing is lost: Kafka: the broker is slow")
    assert "KafkaError{" not in said


def test_a_turn_that_goes_on_is_said_and_the_other_sinks_go_ahead(look, turns, tmp_path):
    outcomes, _ = turns
    outcomes["webhook"] = SinkBusyError("the turn before still waits for the sink's answer")
    outcomes["slack"] = Delivered(sent=1)
    said = skipped(look(alert_sensor.alerts, Platform(tmp_path, **SINKS)))
    assert said == "webhook: the turn before still waits for the sink's answer; slack: 1 sent"


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (Delivered(), "no alert due"),
        (Delivered(waits=True), "one is waiting for its retry"),
        (Delivered(sent=1, failed="no", waits=True), "1 sent, delivery failed (no), will retry"),
        (Delivered(given_up=1, failed="no"), "1 not delivered, moved to alert_dead_letters (no)"),
    ],
)
def test_a_tick_says_what_came_of_it(look, turns, tmp_path, done, words):
    turns[0]["slack"] = done
    sink = {"alert_slack_url": "http://h/geheim"}
    assert skipped(look(alert_sensor.alerts, Platform(tmp_path, **sink))) == f"slack: {words}"


def test_what_episodes_bring_while_a_tick_waits_is_sent_in_the_same_tick(
    look, turns, episodes, tmp_path
):
    outcomes, seconds = turns
    outcomes["slack"] = Delivered()
    episodes.append(lambda: outcomes.update(slack=Delivered(sent=2)))
    episodes.append(lambda: outcomes.update(slack=Delivered()))
    said = skipped(look(alert_sensor.alerts, Platform(tmp_path, alert_slack_url="http://h/x")))
    assert said == "slack: 2 sent; slack: no alert due"
    assert len(seconds) == 3
    # All turns of a tick share its time.
    assert seconds == sorted(seconds, reverse=True)


def test_a_tick_that_waits_ends_with_its_process_and_sends_no_more(look, turns, episodes, tmp_path):
    outcomes, seconds = turns
    outcomes["slack"] = Delivered()
    episodes += [lambda: alert_sensor.ENDING.set(), lambda: pytest.fail("waited again")]
    said = skipped(look(alert_sensor.alerts, Platform(tmp_path, alert_slack_url="http://h/x")))
    assert said == "slack: no alert due"
    assert len(seconds) == 1


def test_a_broker_that_is_down_is_said_and_waited_for(look, tmp_path):
    platform = Platform(tmp_path, kafka_bootstrap="", alert_slack_url="http://h/geheim")
    assert "no Kafka broker is configured" in skipped(look(alert_sensor.alerts, platform))


def keep(platform, text, name="alerts.yaml"):
    platform.deployment.assets.write_text(name, text)
    return platform


@pytest.fixture
def routed(monkeypatch):
    """Let a turn of the routes report something given, or fail; and note what it was given."""
    seen = []

    def chosen(said):
        def turn(self, now, seconds):
            seen.append(self)
            if isinstance(said, Exception):
                raise said
            yield from said.items()

        monkeypatch.setattr(RoutedAlerts, "turn", turn)
        monkeypatch.setattr(routed_wiring, "ensure_topics", lambda kafka: None)
        return seen

    return chosen


def test_with_a_file_of_routes_a_tick_says_what_each_target_got(look, routed, tmp_path):
    seen = routed({"webhook": Delivered(sent=2), "facility": "Kafka is away"})
    routes = "{targets: {facility: {sink: email}}, routes: [{name: r, targets: [facility]}]}"
    platform = keep(Platform(tmp_path, **SINKS), routes)
    assert skipped(look(alert_sensor.alerts, platform)) == (
        "webhook: 2 sent; facility: will retry at the next tick, nothing is lost: Kafka is away"
    )
    assert list(seen[0].targets) == ["webhook", "slack", "facility"]


def test_with_a_mistake_in_the_file_the_one_before_applies_and_the_tick_names_it(
    look, routed, tmp_path
):
    seen = routed({"webhook": Delivered()})
    wrong = "routes: [{name: r}]"
    platform = keep(Platform(tmp_path, **SINKS), wrong)
    look(alert_sensor.alerts, platform)
    assert seen[-1].inputs.routes.routes == (), "to all sinks"
    keep(platform, "targets: {facility: {sink: email}}")
    look(alert_sensor.alerts, platform)
    keep(platform, wrong)
    said = skipped(look(alert_sensor.alerts, platform))
    assert "the last routes without a mistake apply: " in said
    assert "alerts.yaml: route r: targets: expected this field, which is missing; webhook" in said
    assert list(seen[-1].targets) == ["webhook", "slack", "facility"]
    (tmp_path / "lake" / "assets" / "alerts.yaml").unlink()
    platform.deployment.assets.write_text("alerts/routes.json", "{}")
    look(alert_sensor.alerts, platform)
    keep(platform, wrong)
    look(alert_sensor.alerts, platform)
    assert list(seen[-1].targets) == ["webhook", "slack"], "a removed file does not come back"


def test_with_a_mistake_in_the_groups_the_other_routes_still_apply(look, routed, tmp_path):
    seen = routed({})
    text = "routes: [{name: r, groups: [North], targets: [slack]}]"
    platform = keep(keep(Platform(tmp_path, **SINKS), text), "sites: 3", "groups.yaml")
    assert "no route with groups applies: " in skipped(look(alert_sensor.alerts, platform))
    assert seen[0].inputs.groups("m") == frozenset()
    assert seen[0].inputs.cost({"meter": "m", "episode": "2024-03-05T18:00Z", "end": "x"}) is None


def test_a_meter_is_in_its_groups(look, routed, tmp_path):
    seen = routed({})
    text = "routes: [{name: r, groups: [North, South], targets: [slack]}]"
    platform = keep(Platform(tmp_path, **SINKS), text)
    save_meters(platform.deployment.assets, MeterRegistry().with_meters([Meter("m")]))
    keep(platform, "sites: [{name: North, buildings: [{name: B, meters: [m]}]}]", "groups.yaml")
    said = skipped(look(alert_sensor.alerts, platform))
    assert said == "route r: groups: expected a group of groups.yaml, got 'South'"
    assert seen[0].inputs.groups("m") == {"North", "B"}
    keep(platform, "sites: [{name: South, buildings: [{name: B, meters: [m]}]}]", "groups.yaml")
    look(alert_sensor.alerts, platform)
    assert seen[1].inputs.groups("m") == {"South", "B"}, "a changed file counts at once"


def test_once_routed_alerts_stay_routed_without_the_file(look, routed, tmp_path):
    routed({"webhook": Delivered(sent=1)})
    platform = keep(Platform(tmp_path, **SINKS), "{}", "alerts/routes.json")
    assert skipped(look(alert_sensor.alerts, platform)) == "webhook: 1 sent"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SinkBusyError("busy"), "routes: busy"),
        (LakeError("away"), "routes: will retry at the next tick, nothing is lost: away"),
    ],
)
def test_a_turn_of_routes_that_cannot_be_is_said(look, routed, tmp_path, error, said):
    routed(error)
    platform = keep(Platform(tmp_path, **SINKS), "")
    assert skipped(look(alert_sensor.alerts, platform)) == said


def test_routes_without_any_sink_say_how_to_configure_one(look, routed, tmp_path):
    routed({})
    assert "no alert sink" in skipped(look(alert_sensor.alerts, keep(Platform(tmp_path), "")))


@pytest.mark.kafka
def test_an_episode_on_the_topic_becomes_an_alert_in_the_meters_local_time(
    look, kafka, put, tmp_path
):
    start = pd.Timestamp("2024-07-01T12:00Z")
    said = {
        "episode": "2024-07-01T12:00Z",
        "start": start,
        "end": start,
        "kind": "surge",
        "excess_kwh": 1.0,
        "severity": "medium",
        "explanation": "surge",
    }
    told = episode_event(said, EpisodeStatus.OPENED, start, Meter("library"))
    with web_receiver() as web:
        given = {"kafka_bootstrap": kafka.bootstrap, "timezone": "Europe/Rome"}
        platform = Platform(tmp_path, **given, alert_webhook_url=web.url)
        assert skipped(look(alert_sensor.alerts, platform)) == "webhook: no alert due"
        put(kafka, [told.value], EPISODE)
        assert skipped(look(alert_sensor.alerts, platform)) == "webhook: 1 sent"
        assert skipped(look(alert_sensor.alerts, platform)) == "webhook: no alert due"
    ((_, body),) = web.posts
    assert "14:00 CEST" in json.loads(body)["text"]
