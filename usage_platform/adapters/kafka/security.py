"""Authentication and encryption between clients and brokers.

Belongs here: the settings that librdkafka and Spark's Java client each need for one mechanism. Not
here: which mechanism a platform uses (`settings`), clients themselves.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

_MSK_HOST = re.compile(r"\.kafka(?:-serverless)?\.(?P<region>[a-z0-9-]+)\.amazonaws\.com")

TokenOf = Callable[[str], tuple[str, float]]
"""Makes a token for an AWS region: the token, and its expiry in seconds since 1970, UTC."""


class SecurityKind(StrEnum):
    """The mechanisms that the setting `kafka_security` names."""

    NONE = "none"
    SCRAM = "scram"
    IAM = "iam"


class KafkaSecurity(Protocol):
    """One mechanism."""

    def client(self) -> Mapping[str, object]:
        """Librdkafka settings."""
        ...

    def java(self) -> Mapping[str, str]:
        """Settings of a Java client, such as Spark's."""
        ...


@dataclass(frozen=True)
class Plaintext:
    """Neither encrypted nor authenticated: for a broker that nobody else can reach."""

    def client(self) -> Mapping[str, object]:
        """None are needed."""
        return {}

    def java(self) -> Mapping[str, str]:
        """None are needed."""
        return {}


@dataclass(frozen=True)
class LoopbackPassword:
    """A user with a password by SASL/PLAIN (RFC 4616) without TLS: for a broker on this machine.

    Not SCRAM: its users are part of a cluster's stored metadata, and this password is new at each
    start.

    Attributes:
        user: Name of the user.
        password: Letters, digits, - and _. Left out of the representation, so that it is never in
            a log.
    """

    user: str
    password: str = field(repr=False)

    def client(self) -> Mapping[str, object]:
        """Librdkafka settings."""
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": self.user,
            "sasl.password": self.password,
        }

    def java(self) -> Mapping[str, str]:
        """Settings of a Java client."""
        login = "org.apache.kafka.common.security.plain.PlainLoginModule required"
        return {
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.jaas.config": (
                f"{login} username={_quoted(self.user)} password={_quoted(self.password)};"
            ),
        }


@dataclass(frozen=True)
class Scram:
    """TLS, and a user with a password by SCRAM-SHA-512 (RFC 5802).

    Attributes:
        user: Name of the user.
        password: Left out of the representation, so that it is never in a log.
        ca: PEM file of trusted CA certificates; None for those of the system.
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
    """TLS, and the AWS identity of the process, for Amazon MSK.

    Python's clients send a token that is signed by the AWS credentials of the process
    (OAUTHBEARER), Spark's uses Amazon's login module, whose jar must be on its class path.

    Attributes:
        region: AWS region of the brokers.
        token_of: Signs a token.
        ca: PEM file of trusted CA certificates; None for those of the system.
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
            # A broker of a small instance type accepts four new connections a second.
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
    """A token for Amazon MSK, signed with the AWS credentials of this process."""
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider

    token, expires_ms = MSKAuthTokenProvider.generate_auth_token(region)
    return token, expires_ms / 1000


def msk_region(bootstrap: str) -> str:
    """The AWS region in the names of Amazon MSK's brokers; empty for other brokers."""
    host = _MSK_HOST.search(bootstrap)
    return host["region"] if host else ""


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
