"""Which alert sinks the settings choose."""

from usage_platform.settings.settings import Settings
from usage_platform.wiring.sinks import SINKS, chosen_sinks

_ALL = {
    "USAGE_ALERT_WEBHOOK_URL": "http://h",
    "USAGE_ALERT_SLACK_URL": "http://h",
    "USAGE_ALERT_SMTP_URL": "smtp://h",
    "USAGE_ALERT_EMAIL_TO": "a@b.c",
    "USAGE_ALERT_SNS_TOPIC": "arn:aws:sns:eu-west-1:123456789012:none",
    "USAGE_ALERT_MQTT_URL": "mqtt://h",
}


def _names(env: dict[str, str]) -> tuple[str, ...]:
    return tuple(sink.name for sink in chosen_sinks(Settings.from_env(env)))


def test_only_the_sinks_whose_address_is_given_are_built():
    assert _names({}) == ()
    assert _names(_ALL) == SINKS
    assert _names({"USAGE_ALERT_SLACK_URL": "http://h"}) == ("slack",)
