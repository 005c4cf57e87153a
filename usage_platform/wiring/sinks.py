"""The alert sinks that the settings name.

Belongs here: building sinks from settings. Not here: reading the environment (`settings`).
"""

from collections.abc import Callable, Mapping

from usage_platform.adapters.alert_sinks.mail import MailSink
from usage_platform.adapters.alert_sinks.mqtt import MqttSink
from usage_platform.adapters.alert_sinks.slack import SlackSink
from usage_platform.adapters.alert_sinks.sns import SnsSink
from usage_platform.adapters.alert_sinks.webhook import WebhookSink
from usage_platform.core.alerts.addresses import mail_addresses, mqtt_server, smtp_server
from usage_platform.core.alerts.alert import AlertSink
from usage_platform.settings.settings import Settings

HOW_TO_CONFIGURE = (
    "set USAGE_ALERT_WEBHOOK_URL, USAGE_ALERT_SLACK_URL, USAGE_ALERT_EMAIL_TO with "
    "USAGE_ALERT_SMTP_URL, USAGE_ALERT_SNS_TOPIC or USAGE_ALERT_MQTT_URL"
)
"""What a user without a sink does."""


def mail_sink(smtp_url: str, receivers: str, sender: str) -> MailSink:
    """A sink that sends mail.

    Args:
        smtp_url: smtp[s]://[user:password@]host[:port].
        receivers: Addresses, separated by commas.
        sender: An address; empty for the server's user if that is an address, else the first
            receiver.
    """
    server, to = smtp_server(smtp_url), mail_addresses(receivers)
    user = server.user if "@" in server.user else ""
    return MailSink(server, sender or user or to[0], to)


def _webhook(settings: Settings) -> AlertSink | None:
    address = settings.alert_webhook_url.get_secret_value()
    secret = settings.alert_webhook_secret.get_secret_value()
    return WebhookSink(address, secret) if address else None


def _slack(settings: Settings) -> AlertSink | None:
    address = settings.alert_slack_url.get_secret_value()
    return SlackSink(address) if address else None


def _email(settings: Settings) -> AlertSink | None:
    server, receivers = settings.alert_smtp_url.get_secret_value(), settings.alert_email_to
    return mail_sink(server, receivers, settings.alert_email_from) if receivers else None


def _sns(settings: Settings) -> AlertSink | None:
    return SnsSink(settings.alert_sns_topic) if settings.alert_sns_topic else None


def _mqtt(settings: Settings) -> AlertSink | None:
    url = settings.alert_mqtt_url.get_secret_value()
    if not url:
        return None
    topic, certificate = settings.alert_mqtt_topic, settings.alert_mqtt_certificate
    return MqttSink(mqtt_server(url), topic, certificate)


_BUILDERS: Mapping[str, Callable[[Settings], AlertSink | None]] = {
    "webhook": _webhook,
    "slack": _slack,
    "email": _email,
    "sns": _sns,
    "mqtt": _mqtt,
}

SINKS = tuple(_BUILDERS)
"""The names of all sinks."""

SETTING_OF: Mapping[str, str] = {
    "webhook": "USAGE_ALERT_WEBHOOK_URL",
    "slack": "USAGE_ALERT_SLACK_URL",
    "email": "USAGE_ALERT_EMAIL_TO",
    "sns": "USAGE_ALERT_SNS_TOPIC",
    "mqtt": "USAGE_ALERT_MQTT_URL",
}
"""The setting that configures each sink."""


def chosen_sinks(settings: Settings) -> list[AlertSink]:
    """The sinks whose address the settings give, in the order of `SINKS`; empty without any."""
    built = [build(settings) for build in _BUILDERS.values()]
    return [sink for sink in built if sink is not None]
