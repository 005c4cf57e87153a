"""The targets of alerts: sinks of the settings with the destinations of `alerts.yaml`.

Belongs here: building them. Not here: sinks without a file (`sinks`), the form of the file
(`core.alerts.routes_file`).
"""

from collections.abc import Mapping
from dataclasses import replace

from usage_platform.adapters.alert_sinks.mqtt import MqttSink
from usage_platform.adapters.alert_sinks.slack import SlackSink
from usage_platform.adapters.alert_sinks.unconfigured import UnconfiguredSink
from usage_platform.adapters.alert_sinks.webhook import WebhookSink
from usage_platform.core.alerts.addresses import named_addresses
from usage_platform.core.alerts.alert import AlertSink
from usage_platform.core.alerts.routes import Routes, Target
from usage_platform.settings.settings import Settings
from usage_platform.wiring.sinks import SETTING_OF, chosen_sinks, mail_sink

_ADDRESSES = "USAGE_ALERT_ADDRESSES"


def chosen_targets(settings: Settings, routes: Routes) -> dict[str, AlertSink]:
    """The configured sinks, the targets of the file, and other sinks that routes name, by name.

    A target whose setting is missing is an `UnconfiguredSink`.

    Args:
        settings: They give addresses and secrets.
        routes: The file's targets and routes.
    """
    sinks = {sink.name: sink for sink in chosen_sinks(settings)}
    built = dict(sinks)
    for target in routes.targets:
        built[target.name] = _target(settings, sinks, target)
    for name in routes.named_targets:
        if name not in built:
            built[name] = _unconfigured(name, name)
    return built


def _target(settings: Settings, sinks: Mapping[str, AlertSink], target: Target) -> AlertSink:
    if target.sink == "email":
        return _mail(settings, target)
    if target.address:
        return _at_address(settings, target)
    sink = sinks.get(target.sink)
    if sink is None:
        return _unconfigured(target.name, target.sink)
    if isinstance(sink, MqttSink) and target.topic:
        sink = replace(sink, topic=target.topic)
    return replace(sink, name=target.name)  # pyright: ignore[reportArgumentType, reportReturnType]


def _mail(settings: Settings, target: Target) -> AlertSink:
    server = settings.alert_smtp_url.get_secret_value()
    receivers = ",".join(target.to) or settings.alert_email_to
    if not server or not receivers:
        missing = "USAGE_ALERT_SMTP_URL" if not server else "USAGE_ALERT_EMAIL_TO"
        return UnconfiguredSink(target.name, f"{missing} is not set")
    return replace(mail_sink(server, receivers, settings.alert_email_from), name=target.name)


def _at_address(settings: Settings, target: Target) -> AlertSink:
    known = named_addresses(settings.alert_addresses.get_secret_value())
    address = known.get(target.address)
    if address is None:
        return UnconfiguredSink(target.name, f"{_ADDRESSES} has no address {target.address}")
    if target.sink == "slack":
        return SlackSink(address, name=target.name)
    secret = settings.alert_webhook_secret.get_secret_value()
    return WebhookSink(address, secret, name=target.name)


def _unconfigured(name: str, sink: str) -> UnconfiguredSink:
    return UnconfiguredSink(name, f"{SETTING_OF[sink]} is not set")
