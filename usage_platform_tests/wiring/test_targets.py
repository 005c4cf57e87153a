"""Which targets are built from the settings and the file of routes."""

from typing import Any

import pytest

from usage_platform.adapters.stores.alert_routes import routes_in
from usage_platform.core.alerts.addresses import Server
from usage_platform.core.alerts.alert import DeliveryError
from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.targets import chosen_targets

ROUTES = routes_in(
    """
targets:
  facility: {sink: email, to: [anna@example.org, ben@example.org]}
  everyone: {sink: email}
  floor: {sink: mqtt, topic: floor/2}
  oncall: {sink: slack, address: oncall}
  program: {sink: webhook, address: program}
  phones: {sink: sns}
routes:
  - {name: r, targets: [facility, slack]}
""",
    "alerts.yaml",
)
ALL = {
    "USAGE_ALERT_SMTP_URL": "smtp://h",
    "USAGE_ALERT_EMAIL_TO": "all@example.org",
    "USAGE_ALERT_MQTT_URL": "mqtt://h",
    "USAGE_ALERT_SNS_TOPIC": "arn:aws:sns:eu-west-1:123456789012:none",
    "USAGE_ALERT_WEBHOOK_SECRET": "of sixteen or more letters",
    "USAGE_ALERT_ADDRESSES": "oncall=https://h/oncall program=https://h/program",
}


def targets(env: dict[str, str]) -> dict[str, Any]:
    return dict(chosen_targets(Settings.from_env(env), ROUTES))


def test_a_target_is_the_sink_of_the_settings_with_its_own_destination():
    found = targets(ALL)
    assert found["facility"].receivers == ("anna@example.org", "ben@example.org")
    assert found["everyone"].receivers == ("all@example.org",)
    assert found["floor"].topic == "floor/2"
    assert found["mqtt"].topic == "usage/alerts"
    assert found["oncall"].url == "https://h/oncall"
    assert (found["program"].url, found["program"].secret[:2]) == ("https://h/program", "of")
    assert found["floor"].server == Server("h", 1883, False, "", "")
    assert {name: sink.name for name, sink in found.items()} == {name: name for name in found}


def test_without_its_setting_a_target_fails_with_the_name_of_the_setting():
    found = targets({})
    reasons = {}
    for name, sink in found.items():
        with pytest.raises(DeliveryError) as failed:
            sink.deliver(None, None)
        assert not failed.value.lasting, "the setting may come"
        reasons[name] = str(failed.value)
    assert reasons == {
        "facility": "USAGE_ALERT_SMTP_URL is not set",
        "everyone": "USAGE_ALERT_SMTP_URL is not set",
        "floor": "USAGE_ALERT_MQTT_URL is not set",
        "oncall": "USAGE_ALERT_ADDRESSES has no address oncall",
        "program": "USAGE_ALERT_ADDRESSES has no address program",
        "phones": "USAGE_ALERT_SNS_TOPIC is not set",
        "slack": "USAGE_ALERT_SLACK_URL is not set",
    }
    alone = {"USAGE_ALERT_SMTP_URL": "smtp://h"}
    assert targets(alone)["everyone"].reason == "USAGE_ALERT_EMAIL_TO is not set"


@pytest.mark.parametrize(
    "text",
    ["https://h/geheim", "a=h/geheim", "a=https://h/geheim a=https://h/b", "A=https://h/geheim"],
)
def test_addresses_without_a_form_are_refused_and_not_repeated(text):
    with pytest.raises(SettingsError, match="USAGE_ALERT_ADDRESSES=") as refused:
        Settings.from_env({"USAGE_ALERT_ADDRESSES": text})
    assert "geheim" not in str(refused.value)
