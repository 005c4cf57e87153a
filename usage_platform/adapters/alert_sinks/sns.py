"""Alerts to a topic of Amazon SNS, which hands them on to mail, phones, queues and functions.

Belongs here: the request. Not here: AWS credentials, which boto3 finds as everywhere.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from usage_platform.core.alerts.addresses import topic_region
from usage_platform.core.alerts.alert import Alert, DeliveryError

if TYPE_CHECKING:
    from botocore.client import BaseClient

_LONGEST_SUBJECT = 100
_PASSING = ("Throttl", "InternalError", "ServiceUnavailable", "RequestTimeout")


@dataclass(frozen=True)
class SnsSink:
    """An SNS topic.

    Attributes:
        topic: Its ARN.
    """

    topic: str
    name: str = "sns"

    def deliver(self, alert: Alert, now: datetime) -> None:
        """Publish an alert: words for people, JSON for programs.

        A FIFO topic drops a repetition within five minutes by its deduplication id.

        Raises:
            DeliveryError: When it was not taken.
        """
        del now
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            self._client.publish(TopicArn=self.topic, **_request(alert, self.topic))
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise DeliveryError(f"answered {code}", not code.startswith(_PASSING)) from None
        except BotoCoreError as error:
            raise DeliveryError(f"no request can be sent ({type(error).__name__})") from None

    @cached_property
    def _client(self) -> "BaseClient":
        import boto3
        from botocore.config import Config

        config = Config(connect_timeout=3, read_timeout=5, retries={"total_max_attempts": 1})
        return boto3.client("sns", region_name=topic_region(self.topic), config=config)


def _request(alert: Alert, topic: str) -> dict[str, Any]:
    words = f"{alert.title}\n\n{alert.text}\n\n{alert.key}"
    by_kind = {"default": json.dumps(alert.as_json()), "email": words, "sms": alert.title}
    values = {
        "meter": alert.meter,
        "state": alert.standing.state.value,
        "severity": alert.severity,
    }
    attributes = {name: value for name, value in values.items() if value}
    request: dict[str, Any] = {
        "Subject": _ascii(alert.title),
        "MessageStructure": "json",
        "Message": json.dumps(by_kind),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }
    if topic.endswith(".fifo"):
        request["MessageGroupId"] = hashlib.sha256(alert.meter.encode()).hexdigest()
        request["MessageDeduplicationId"] = hashlib.sha256(alert.key.encode()).hexdigest()
    return request


def _ascii(text: str) -> str:
    """A subject as SNS takes it: ASCII, at most 100 characters, begun by a letter or a digit."""
    plain = text.encode("ascii", "replace").decode()[:_LONGEST_SUBJECT]
    return plain if plain[:1].isalnum() else f"A{plain[1:]}"
