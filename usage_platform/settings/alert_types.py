"""The types of the alert settings: pydantic types that validate their text.

Belongs here: which of them are secrets, and their validators. Not here: the settings (`settings`),
the form of addresses (`core.alerts.addresses`).
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
