"""TLS with a broker of MQTT: which certificates are trusted, and which one is shown.

Belongs here: the context of TLS. Not here: what is said over it.
"""

import ssl
from pathlib import Path


class CertificateError(ValueError):
    """The client's certificate cannot be used; one line with what is expected."""


def trusted_context(certificate: Path | None) -> ssl.SSLContext:
    """TLS to brokers whose certificates this machine trusts.

    Args:
        certificate: A file with the client's certificate and its key, PEM; None for none.

    Raises:
        CertificateError: When that file cannot be read.
    """
    trusted = ssl.create_default_context()
    if certificate is not None:
        try:
            # Without a password it would ask the terminal for that of a key that has one.
            trusted.load_cert_chain(certificate, password="")
        except (OSError, ValueError) as error:
            raise CertificateError(
                f"the client's certificate and key cannot be read ({type(error).__name__}): "
                "expected both in one PEM file, the key without a password"
            ) from None
    return trusted
