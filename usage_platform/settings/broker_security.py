"""What the settings of secured brokers must have together.

Belongs here: that rule. Not here: the clients' configuration (`adapters.kafka.security`).
"""

from usage_platform.adapters.kafka.security import SecurityKind, msk_region


def check_broker_security(
    security: SecurityKind, bootstrap: str, credentials: tuple[str, str]
) -> None:
    """Make sure that secured brokers have an address and what they ask for.

    Args:
        security: How the brokers authenticate their clients.
        bootstrap: Their addresses; empty for the embedded broker.
        credentials: User and password; each may be empty.

    Raises:
        ValueError: In one line, with the variables to set.
    """
    start = f"USAGE_KAFKA_SECURITY={security}: set"
    if security is not SecurityKind.NONE and not bootstrap:
        raise ValueError(
            f"{start} USAGE_KAFKA_BOOTSTRAP too: the embedded broker has a password of its own"
        )
    if security is SecurityKind.SCRAM and not all(credentials):
        raise ValueError(f"{start} USAGE_KAFKA_USER and USAGE_KAFKA_PASSWORD too")
    if security is SecurityKind.IAM and not msk_region(bootstrap):
        raise ValueError(
            f"{start} USAGE_KAFKA_BOOTSTRAP to the brokers of Amazon MSK, whose names contain "
            "the region, such as b-1.usage.abc123.c2.kafka.us-east-1.amazonaws.com:9098; got "
            f"{bootstrap!r}"
        )
