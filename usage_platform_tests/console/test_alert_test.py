"""`usage-platform alert-test`, at a real web server."""

import json

import pytest
from click.testing import CliRunner

from usage_platform.console.cli import main
from usage_platform_tests.adapters.alert_sinks.alert_receivers import web_receiver
from usage_platform_tests.adapters.alert_sinks.mqtt_broker import mqtt_broker

NOWHERE = "/nonexistent/usage-platform"
"""No folder of the developer's own, with routes of its own."""


@pytest.fixture
def web():
    with web_receiver() as receiver:
        yield receiver


def run(*args, **env):
    return CliRunner().invoke(main, ("alert-test", *args), env={"USAGE_DATA": NOWHERE, **env})


def test_each_sink_gets_a_test_and_a_failure_ends_the_command_badly(web):
    web.statuses = [200, 404]
    both = {"USAGE_ALERT_WEBHOOK_URL": web.url, "USAGE_ALERT_SLACK_URL": web.url}
    done = run(**both)
    assert (done.exit_code, done.output) == (1, "webhook: delivered\nslack: answered 404\n")
    assert json.loads(web.posts[0][1])["state"] == "test"
    done = run("slack", **both)
    assert (done.exit_code, done.output) == (0, "slack: delivered\n")
    assert len(web.posts) == 3


def test_without_a_sink_it_says_which_settings_there_are(web):
    assert "no sink is configured: set USAGE_ALERT_WEBHOOK_URL" in run().output
    done = run("email", USAGE_ALERT_WEBHOOK_URL=web.url)
    assert done.exit_code == 1
    assert "sink email is not configured" in done.output
    assert not web.posts


def test_an_unknown_sink_is_refused_with_the_names_of_all(web):
    done = run("fax", USAGE_ALERT_WEBHOOK_URL=web.url)
    assert done.exit_code != 0
    assert "no sink is called 'fax': choose one of webhook, slack, email, sns, mqtt" in done.output
    assert not web.posts


def test_the_targets_of_the_file_are_tested_too(web, tmp_path):
    (tmp_path / "lake" / "assets").mkdir(parents=True)
    file = tmp_path / "lake" / "assets" / "alerts.yaml"
    file.write_text("targets: {oncall: {sink: slack, address: oncall}, floor: {sink: mqtt}}")
    env = {"USAGE_DATA": str(tmp_path), "USAGE_ALERT_ADDRESSES": f"oncall={web.url}"}
    done = run(**env)
    said = "oncall: delivered\nfloor: USAGE_ALERT_MQTT_URL is not set\n"
    assert (done.exit_code, done.output) == (1, said)
    assert run("oncall", **env).output == "oncall: delivered\n"
    assert len(web.posts) == 2
    assert "choose one of webhook, slack, email, sns, mqtt, oncall, floor" in run("x", **env).output


def test_a_broker_of_mqtt_is_told_of_its_topic(unused_port, tmp_path):
    with mqtt_broker(tmp_path, unused_port(), unused_port()) as broker:
        url = {"USAGE_ALERT_MQTT_URL": f"mqtt://127.0.0.1:{broker.port}"}
        assert run("mqtt", **url).output == "mqtt: delivered\n"
        (payload,) = broker.wait(1)
    assert json.loads(payload)["state"] == "test"
