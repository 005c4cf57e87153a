"""The types of the settings of alerts and of brokers of MQTT: they validate their text.

Belongs here: which of them are secrets, their validators, and rules between them. Not here: the
settings (`settings`), the form of addresses (`core.alerts.addresses`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, SecretStr

from usage_platform.core.alerts.addresses import (
    check_mqtt_topic,
    check_secret,
    check_web_address,
    mail_addresses,
    mqtt_server,
    named_addresses,
    smtp_server,
    topic_region,
)

NONE = SecretStr("")
"""A secret that is not set."""


def _secret(check: Callable[[str], object]) -> AfterValidator:
    def validate(value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            check(value.get_secret_value())
        return value

    return AfterValidator(validate)


def _text(check: Callable[[str], object]) -> AfterValidator:
    def validate(value: str) -> str:
        if value:
            check(value)
        return value

    return AfterValidator(validate)


def _mqtt_topic(value: str) -> str:
    check_mqtt_topic(value)
    return value


def _pem_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("no such file; expected a PEM file with a certificate and its key")
    return value


# The address of a webhook is a secret: many carry a key in the path.
WebAddress = Annotated[SecretStr, _secret(check_web_address)]
NamedAddresses = Annotated[SecretStr, _secret(named_addresses)]
SigningSecret = Annotated[SecretStr, _secret(check_secret)]
MailServer = Annotated[SecretStr, _secret(smtp_server)]
MailAddresses = Annotated[str, _text(mail_addresses)]
MqttBroker = Annotated[SecretStr, _secret(mqtt_server)]
MqttTopic = Annotated[str, AfterValidator(_mqtt_topic)]
ClientCertificate = Annotated[Path, AfterValidator(_pem_file)]
TopicArn = Annotated[str, _text(topic_region)]


def check_mail(receivers: str, server: SecretStr) -> None:
    """Make sure that mail can be sent where somebody is to get it.

    Raises:
        ValueError: When no server is set.
    """
    if receivers and not server.get_secret_value():
        raise ValueError("USAGE_ALERT_EMAIL_TO is set: set USAGE_ALERT_SMTP_URL as well")


def check_certificate(name: str, url: SecretStr, certificate: Path | None) -> None:
    """Make sure that a certificate is shown over TLS.

    Args:
        name: What the settings of this broker of MQTT begin with, without `USAGE_`.
        url: Its address.
        certificate: The client's certificate, None for none.

    Raises:
        ValueError: When the address is another kind.
    """
    if certificate and not url.get_secret_value().startswith("mqtts:"):
        raise ValueError(f"USAGE_{name}_CERTIFICATE is set: set USAGE_{name}_URL to mqtts://...")
