"""How the settings on alerts are written: types of pydantic that judge their text.

Belongs here: which of them are secrets, and their checks. Not here: the settings (`settings`), what
makes an address one (`core.alerts.addresses`).
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
    smtp_server,
    topic_region,
)

NONE = SecretStr("")
"""A secret that is not set."""


def _secret(check: Callable[[str], object]) -> AfterValidator:
    def judge(value: SecretStr) -> SecretStr:
        if value.get_secret_value():
            check(value.get_secret_value())
        return value

    return AfterValidator(judge)


def _text(check: Callable[[str], object]) -> AfterValidator:
    def judge(value: str) -> str:
        if value:
            check(value)
        return value

    return AfterValidator(judge)


def _mqtt_topic(value: str) -> str:
    check_mqtt_topic(value)
    return value


def _pem_file(value: Path) -> Path:
    if not value.is_file():
        raise ValueError("no such file; expected a certificate with its key (PEM)")
    return value


# Whoever knows the address of a webhook can use it: many hold their key in the path.
WebAddress = Annotated[SecretStr, _secret(check_web_address)]
SigningSecret = Annotated[SecretStr, _secret(check_secret)]
MailServer = Annotated[SecretStr, _secret(smtp_server)]
MailAddresses = Annotated[str, _text(mail_addresses)]
MqttBroker = Annotated[SecretStr, _secret(mqtt_server)]
MqttTopic = Annotated[str, AfterValidator(_mqtt_topic)]
ClientCertificate = Annotated[Path, AfterValidator(_pem_file)]
TopicArn = Annotated[str, _text(topic_region)]
