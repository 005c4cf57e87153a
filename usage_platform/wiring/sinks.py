"""The alert sinks that the settings name.

Belongs here: building sinks from addresses. Not here: reading the environment (`settings`).
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
"""The names of all sinks."""


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


def chosen_sinks(
    webhook: tuple[str, str],
    slack: str,
    mail: tuple[str, str, str],
    sns: str,
    mqtt: tuple[str, str, Path | None],
) -> list[AlertSink]:
    """The sinks whose address is given, in the order of `SINKS`.

    Args:
        webhook: Address and secret.
        slack: Address.
        mail: Server, receivers and sender.
        sns: The topic's ARN.
        mqtt: Broker, topic, and the client's certificate if the broker requires one.
    """
    sinks: list[AlertSink] = []
    if webhook[0]:
        sinks.append(WebhookSink(*webhook))
    if slack:
        sinks.append(SlackSink(slack))
    if mail[1]:
        sinks.append(mail_sink(*mail))
    if sns:
        sinks.append(SnsSink(sns))
    if mqtt[0]:
        sinks.append(MqttSink(mqtt_server(mqtt[0]), *mqtt[1:]))
    return sinks
