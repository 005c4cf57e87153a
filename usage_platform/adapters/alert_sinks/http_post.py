"""Posting JSON to an address that may be a secret: what goes wrong is said without it.

Belongs here: HTTP for the sinks that speak it. Not here: what they say.
"""

from collections.abc import Mapping

import requests

from usage_platform.core.alerts.alert import DeliveryError

_TIMEOUTS_SECONDS = (3.0, 5.0)
"""To connect, and between two bytes of an answer."""

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
        with requests.post(
            url,
            body,
            headers=sent,
            timeout=_TIMEOUTS_SECONDS,
            allow_redirects=False,
            stream=True,  # However long the answer is, its status is enough.
        ) as answer:
            status = answer.status_code
    except requests.Timeout:
        raise DeliveryError("no answer within 5 s") from None
    except requests.exceptions.SSLError:
        raise DeliveryError("its certificate is not trusted here, or it speaks no TLS") from None
    except requests.ConnectionError:
        raise DeliveryError("cannot be reached") from None
    except requests.RequestException as error:
        raise DeliveryError(f"cannot be asked ({type(error).__name__})", lasting=True) from None
    if status in _REDIRECTS:
        raise DeliveryError(f"answered {status}, a redirect: set its new address", lasting=True)
    if not 200 <= status < 300:
        passing = status in _WORTH_ANOTHER_TRY or status in _SERVER_FAULTS
        raise DeliveryError(f"answered {status}", lasting=not passing)
