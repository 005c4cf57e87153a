"""How clients prove who they are to the brokers, and that the line is theirs alone.

Belongs here: the settings that librdkafka and Spark's Java client each need for one way. Not here:
which way a deployment takes (`settings`), clients themselves.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

_MSK_HOST = re.compile(r"\.kafka(?:-serverless)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")

TokenOf = Callable[[str], tuple[str, float]]
"""Makes a token of an AWS region: the token, and when it expires in seconds since 1970, UTC."""


class SecurityKind(StrEnum):
    """The ways that the setting `kafka_security` names."""

    NONE = "none"
    SCRAM = "scram"
    IAM = "iam"


class KafkaSecurity(Protocol):
    """One way of reaching the brokers."""

    def client(self) -> Mapping[str, object]:
        """Librdkafka settings."""
        ...

    def java(self) -> Mapping[str, str]:
        """Settings of a Java client, such as Spark's."""
        ...


@dataclass(frozen=True)
class Plaintext:
    """Neither encrypted nor authenticated: for a broker on this machine."""

    def client(self) -> Mapping[str, object]:
        """None are needed."""
        return {}

    def java(self) -> Mapping[str, str]:
        """None are needed."""
        return {}


@dataclass(frozen=True)
class Scram:
    """TLS, and a user with a password by SCRAM-SHA-512 (RFC 5802).

    Attributes:
        user: Who asks.
        password: Never in a log: it is left out of the representation.
        ca: File of the certificates to trust, PEM; the system's where it is None.
    """

    user: str
    password: str = field(repr=False)
    ca: Path | None = None

    def client(self) -> Mapping[str, object]:
        """Librdkafka settings."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": self.user,
            "sasl.password": self.password,
            **_trust(self.ca),
        }

    def java(self) -> Mapping[str, str]:
        """Settings of a Java client."""
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.jaas.config": (
                f"{login} username={_quoted(self.user)} password={_quoted(self.password)};"
            ),
            **_java_trust(self.ca),
        }


@dataclass(frozen=True)
class Iam:
    """TLS, and the AWS identity of the process, as Amazon MSK takes it.

    Python's clients show a token that is signed by the process's AWS credentials (OAUTHBEARER),
    Spark's uses Amazon's login module, whose jar must be on its class path.

    Attributes:
        region: The brokers' AWS region.
        token_of: Signs a token.
        ca: File of the certificates to trust, PEM; the system's where it is None.
    """

    region: str
    token_of: TokenOf
    ca: Path | None = None

    def client(self) -> Mapping[str, object]:
        """Librdkafka settings."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "OAUTHBEARER",
            "oauth_cb": lambda _: self.token_of(self.region),
            # A broker of the small kinds takes four new connections a second.
            "reconnect.backoff.ms": 1000,
            **_trust(self.ca),
        }

    def java(self) -> Mapping[str, str]:
        """Settings of a Java client."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "AWS_MSK_IAM",
            "sasl.jaas.config": "software.amazon.msk.auth.iam.IAMLoginModule required;",
            "sasl.client.callback.handler.class": (
                "software.amazon.msk.auth.iam.IAMClientCallbackHandler"
            ),
            **_java_trust(self.ca),
        }


def msk_token(region: str) -> tuple[str, float]:
    """A token for Amazon MSK, signed with the AWS credentials that this process finds."""
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    token, expires_ms = MSKAuthTokenProvider.generate_auth_token(region)
    return token, expires_ms / 1000


def msk_region(bootstrap: str) -> str:
    """The AWS region that the names of Amazon MSK's brokers tell; empty where they tell none."""
    found = _MSK_HOST.search(bootstrap)
    return found["region"] if found else ""


def _trust(ca: Path | None) -> Mapping[str, str]:
    return {} if ca is None else {"ssl.ca.location": str(ca)}


def _java_trust(ca: Path | None) -> Mapping[str, str]:
    if ca is None:
        return {}
    return {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(ca)}


def _quoted(text: str) -> str:
    """A value of a JAAS configuration."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
