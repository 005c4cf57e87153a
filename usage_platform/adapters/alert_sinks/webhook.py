"""Alerts to a program of your own, as signed JSON.

Belongs here: the request and its signature. Not here: HTTP's faults (`http_post`).

The signature is Stripe's scheme: HMAC-SHA256 over the time of sending, a point and the body. The
time in it keeps a request that someone has recorded from being played again later.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from datetime import datetime

from usage_platform.adapters.alert_sinks.http_post import post_json
from usage_platform.core.alerts.alert import Alert

SIGNATURE_HEADER = "Usage-Signature"


@dataclass(frozen=True)
class WebhookSink:
    """A webhook.

    Attributes:
        url: Its address.
        secret: What requests are signed with; empty to send them unsigned.
    """

    url: str = field(repr=False)
    secret: str = field(repr=False, default="")
    name: str = "webhook"

    def deliver(self, alert: Alert, now: datetime) -> None:
        """Post an alert; whoever takes it can tell a repetition by `Idempotency-Key`.

        Raises:
            DeliveryError: When it was not taken.
        """
        body = json.dumps(alert.as_json(), separators=(",", ":")).encode()
        # A header holds Latin-1 only; the body's `id` is the key as it is.
        headers = {"Idempotency-Key": hashlib.sha256(alert.key.encode()).hexdigest()}
        if self.secret:
            headers[SIGNATURE_HEADER] = signature(self.secret, body, now)
        post_json(self.url, body, headers)


def signature(secret: str, body: bytes, now: datetime) -> str:
    """The signature's header: `t=<seconds since 1970>,v1=<HMAC-SHA256 in hex>`.

    Args:
        secret: What both sides know.
        body: The request's body.
        now: The time of sending, with a zone.
    """
    seconds = int(now.timestamp())
    signed = f"{seconds}.".encode() + body
    return f"t={seconds},v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"
