"""Alerts to a chat, by an incoming webhook of Slack's shape (Mattermost and others take it too).

Belongs here: the message. Not here: HTTP's faults (`http_post`).
"""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime

from usage_platform.adapters.alert_sinks.http_post import post_json
from usage_platform.core.alerts.alert import Alert

_ESCAPED = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
# Mattermost also takes @all, [text](address) and plain addresses; a word joiner, which nobody sees,
# keeps it from doing so.
_LINKED = re.compile(r"@|\](?=\()|:(?=//)|\bwww(?=\.)", re.IGNORECASE)
_WORD_JOINER = "\u2060"


@dataclass(frozen=True)
class SlackSink:
    """A channel's incoming webhook.

    Attributes:
        url: Its address, which is a secret: whoever knows it can write there.
    """

    url: str = field(repr=False)
    name: str = "slack"

    def deliver(self, alert: Alert, now: datetime) -> None:
        """Post an alert.

        Raises:
            DeliveryError: When it was not taken.
        """
        del now
        text = f"*{_plain(alert.title)}*\n{_plain(alert.text)}"
        post_json(self.url, json.dumps({"text": text}).encode(), {})


def _plain(text: str) -> str:
    """Text in which nothing is a link or a mention."""
    apart = _LINKED.sub(lambda found: found[0] + _WORD_JOINER, text)
    return "".join(_ESCAPED.get(one, one) for one in apart)
