"""A real broker that asks its clients who they are, over TLS, for the tests of secured clients.

Belongs here: its listeners, its certificate, and tokens that it takes. Not here: how the platform's
clients answer (`adapters/kafka_security`).
"""

import base64
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import trustme
from confluent_kafka.admin import (
    AdminClient,
    ScramCredentialInfo,  # pyright: ignore[reportPrivateImportUsage] - documented
    ScramMechanism,  # pyright: ignore[reportPrivateImportUsage] - documented
    UserScramCredentialUpsertion,  # pyright: ignore[reportPrivateImportUsage] - documented
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from usage_platform.local.broker import broker_service
from usage_platform.local.jars import JarFolders
from usage_platform.local.java import JavaHome
from usage_platform.local.process import ChildProcess

_KAFKA = "org.apache.kafka.common.security"
_BEARER = f"{_KAFKA}.oauthbearer"
_LISTENERS = f"""
listeners={{plain}},{{asking}},CONTROLLER://127.0.0.1:{{controller}}
advertised.listeners={{plain}},{{asking}}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,OAUTH:SASL_SSL
ssl.keystore.type=PEM
ssl.keystore.location={{keystore}}
listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.scram.scram-sha-512.sasl.jaas.config={_KAFKA}.scram.ScramLoginModule required;
listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.oauth.oauthbearer.sasl.jaas.config=\\
  {_BEARER}.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
listener.name.oauth.oauthbearer.sasl.server.callback.handler.class=\\
  {_BEARER}.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler
"""


@dataclass(frozen=True)
class SecuredBroker:
    """Where it listens, and what its clients need.

    Attributes:
        scram: Address for users with a password.
        oauth: Address for bearers of a token.
        ca: Its certificate's authority, PEM.
        user: A user that it knows.
        password: That user's password.
    """

    scram: str
    oauth: str
    ca: Path
    user: str
    password: str


@contextmanager
def secured_broker(
    java: JavaHome, jars: JarFolders, folder: Path, ask_port: Callable[[], int]
) -> Iterator[SecuredBroker]:
    """Run it; stopped at the end."""
    plain, controller, scram, oauth = (ask_port() for _ in range(4))
    authority = trustme.CA()
    ca, keystore = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(ca))
    keystore.write_bytes(_keystore(authority.issue_cert("127.0.0.1")))
    service = broker_service(java, jars.kafka, folder, os.environ, plain, controller)
    listeners = _LISTENERS.format(
        plain=f"PLAINTEXT://127.0.0.1:{plain}",
        asking=f"SCRAM://127.0.0.1:{scram},OAUTH://127.0.0.1:{oauth}",
        controller=controller,
        keystore=keystore,
    )

    def prepare() -> None:
        service.prepare()
        with (folder / "kafka" / "server.properties").open("a") as settings:
            settings.write(listeners)

    child = ChildProcess(replace(service, prepare=prepare))
    child.start()
    try:
        child.wait_ready(lambda text: None)
        known = SecuredBroker(
            f"127.0.0.1:{scram}", f"127.0.0.1:{oauth}", ca, "ann", 'a "quoted\\" word'
        )
        _add_user(f"127.0.0.1:{plain}", known.user, known.password)
        yield known
    finally:
        child.stop()


def unsigned_token(lifetime_seconds: float) -> tuple[str, float]:
    """A token that says who it is for and is signed by nobody (RFC 7515, appendix A.5)."""
    now = time.time()
    claims = {"sub": "ann", "iat": now, "exp": now + lifetime_seconds}
    parts = (base64.urlsafe_b64encode(json.dumps(p).encode()) for p in ({"alg": "none"}, claims))
    return ".".join(part.rstrip(b"=").decode() for part in parts) + ".", now + lifetime_seconds


def _keystore(cert: trustme.LeafCert) -> bytes:
    """The key as Java reads it (PKCS 8), and the certificate."""
    key = load_pem_private_key(cert.private_key_pem.bytes(), None)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text + b"".join(blob.bytes() for blob in cert.cert_chain_pems)


def _add_user(bootstrap: str, user: str, password: str) -> None:
    kind = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
    entry = UserScramCredentialUpsertion(user, kind, password.encode())
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.alter_user_scram_credentials([entry])[user].result()
