"""The brokers that the settings name, or those of the stack on the data folder.

Belongs here: their address, and how clients prove who they are. Not here: clients (`adapters`).
"""

from usage_platform.adapters.kafka.security import (
    Iam,
    KafkaSecurity,
    LoopbackPassword,
    Plaintext,
    Scram,
    SecurityKind,
    msk_region,
    msk_token,
)
from usage_platform.adapters.kafka.topics import KafkaSettings, KafkaUnreachableError
from usage_platform.local.broker import BROKER_USER
from usage_platform.local.stack_file import StackInfo, read_live
from usage_platform.settings.settings import Settings


def chosen_kafka(settings: Settings) -> KafkaSettings:
    """The brokers of the settings; where these name none, that of the running stack.

    Raises:
        KafkaUnreachableError: When none is set and no stack runs on the data folder.
    """
    stack = read_live(settings.data_dir)
    bootstrap = settings.kafka_bootstrap or (stack.kafka_bootstrap if stack else "")
    if not bootstrap:
        raise KafkaUnreachableError(
            f"no Kafka broker is configured and nothing runs on {settings.data_dir}: "
            "start the platform with 'usage-platform up', or set USAGE_KAFKA_BOOTSTRAP"
        )
    return KafkaSettings(
        bootstrap=bootstrap,
        partitions=settings.kafka_partitions,
        replication=settings.kafka_replication,
        security=_security(settings, bootstrap, stack),
    )


def _security(settings: Settings, bootstrap: str, stack: StackInfo | None) -> KafkaSecurity:
    if stack is not None and stack.kafka_password and bootstrap == stack.kafka_bootstrap:
        return LoopbackPassword(BROKER_USER, stack.kafka_password)
    if settings.kafka_security is SecurityKind.SCRAM:
        password = settings.kafka_password.get_secret_value()
        return Scram(settings.kafka_user, password, settings.kafka_ca)
    if settings.kafka_security is SecurityKind.IAM:
        return Iam(msk_region(bootstrap), msk_token, settings.kafka_ca)
    return Plaintext()
