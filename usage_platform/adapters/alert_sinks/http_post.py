"""Posting JSON to an address that may be a secret: what goes wrong is said without it.

Belongs here: HTTP for the sinks that speak it. Not here: what they say.
"""

import socket
from collections.abc import Mapping
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from usage_platform.adapters.alert_sinks.deadline import Deadline, deadline
from usage_platform.core.alerts.alert import DeliveryError

_TIMEOUTS_SECONDS = (3.0, 5.0)
"""To connect, and between two bytes of an answer."""

TOTAL_SECONDS = 10.0
"""For all of a post, however slowly it is answered."""

_WORTH_ANOTHER_TRY = (408, 425, 429)
_REDIRECTS = range(300, 400)
_SERVER_FAULTS = range(500, 600)


def post_json(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post a body of JSON; what answers 2xx has taken it.

    Redirects are not followed: the body would go where nobody meant it to.

    Args:
        url: The address.
        body: JSON in UTF-8.
        headers: More headers.

    Raises:
        DeliveryError: When it was not taken.
    """
    sent = {"Content-Type": "application/json", "User-Agent": "usage-platform", **headers}
    try:
        with deadline(TOTAL_SECONDS) as limit, _session(limit) as session:
            answer = session.post(
                url,
                body,
                headers=sent,
                timeout=_TIMEOUTS_SECONDS,
                allow_redirects=False,
                stream=True,  # However long the answer is, its status is enough.
            )
            status = answer.status_code
            answer.close()
    except requests.Timeout:
        raise DeliveryError("no answer within 5 s") from None
    except requests.exceptions.SSLError:
        raise DeliveryError("its certificate is not trusted here, or it speaks no TLS") from None
    except requests.ConnectionError:
        raise DeliveryError("cannot be reached") from None
    except requests.RequestException as error:
        raise DeliveryError(
            f"no request can be sent ({type(error).__name__})", lasting=True
        ) from None
    if status in _REDIRECTS:
        raise DeliveryError(f"answered {status}, a redirect: set its new address", lasting=True)
    if not 200 <= status < 300:
        passing = status in _WORTH_ANOTHER_TRY or status in _SERVER_FAULTS
        raise DeliveryError(f"answered {status}", lasting=not passing)


def _session(limit: Deadline) -> requests.Session:
    """A session whose connections end at a deadline."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            limit.watch(connection)
            return connection

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connection = super()._new_conn()
            limit.watch(connection)
            return connection

    # urllib3's connections are not quite what its pools are declared to have.
    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain  # pyright: ignore[reportAssignmentType]

    class EncryptedPool(HTTPSConnectionPool):
        ConnectionCls = Encrypted  # pyright: ignore[reportAssignmentType]

    pools = {"http": PlainPool, "https": EncryptedPool}

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **more: Any) -> None:  # noqa: ANN401
            super().init_poolmanager(*args, **more)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *args: Any, **more: Any) -> Any:  # noqa: ANN401
            manager = super().proxy_manager_for(*args, **more)
            manager.pool_classes_by_scheme = pools
            return manager

    session = requests.Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter())
    return session
