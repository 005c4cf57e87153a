"""The sinks that the settings name.

Belongs here: from addresses to sinks. Not here: reading the environment (`settings`).
"""

from pathlib import Path

from usage_platform.adapters.alert_sinks.mail import MailSink
from usage_platform.adapters.alert_sinks.mqtt import MqttSink
from usage_platform.adapters.alert_sinks.slack import SlackSink
from usage_platform.adapters.alert_sinks.sns import SnsSink
from usage_platform.adapters.alert_sinks.webhook import WebhookSink
from usage_platform.core.alerts.addresses import mail_addresses, mqtt_server, smtp_server
from usage_platform.core.alerts.alert import AlertSink

SINKS = ("webhook", "slack", "email", "sns", "mqtt")
"""Their names."""


def mail_sink(smtp_url: str, receivers: str, sender: str) -> MailSink:
    """A sink for mailboxes.

    Args:
        smtp_url: smtp[s]://[user:password@]host[:port].
        receivers: Addresses with commas.
        sender: An address; empty for the server's user if that is one, else the first receiver.
    """
    server, to = smtp_server(smtp_url), mail_addresses(receivers)
    user = server.user if "@" in server.user else ""
    return MailSink(server, sender or user or to[0], to)


def chosen_sinks(
    webhook: tuple[str, str],
    slack: str,
    mail: tuple[str, str, str],
    sns: str,
    mqtt: tuple[str, str, Path | None],
) -> list[AlertSink]:
    """The sinks of which the address is given, in the order of `SINKS`.

    Args:
        webhook: Address and secret.
        slack: Address.
        mail: Server, receivers and sender.
        sns: The topic's ARN.
        mqtt: Broker, topic, and the client's certificate if it asks for one.
    """
    found: list[AlertSink] = []
    if webhook[0]:
        found.append(WebhookSink(*webhook))
    if slack:
        found.append(SlackSink(slack))
    if mail[1]:
        found.append(mail_sink(*mail))
    if sns:
        found.append(SnsSink(sns))
    if mqtt[0]:
        found.append(MqttSink(mqtt_server(mqtt[0]), *mqtt[1:]))
    return found
