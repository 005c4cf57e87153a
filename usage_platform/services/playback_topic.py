"""The topic that a playback publishes to: whether it is still the one that the playback began on.

Belongs here: noticing that it was deleted or created again. Not here: what then counts as played
(`playback_progress`).

A playback that went on onto a topic that was created again would leave out what it had published
before, and nobody would miss it.
"""

import time
from collections.abc import Callable

from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings, KafkaUnreachableError

_LOOK_SECONDS = 5.0


class TopicChangedError(RuntimeError):
    """The topic is another one now; one line that says what comes next."""


class PlayedTopic:
    """The topic of a playback.

    Args:
        kafka: The brokers.
        began_on: The topic's id when the playback began.
        clock: Seconds that only go forward.
    """

    def __init__(
        self, kafka: KafkaSettings, began_on: str, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._kafka = kafka
        self._began_on = began_on
        self._clock = clock
        self._looked = clock()

    def check(self) -> None:
        """Make sure, every few seconds, that it is the same; brokers that are away are waited for.

        Raises:
            TopicChangedError: When it was deleted or created again.
        """
        if self._clock() - self._looked < _LOOK_SECONDS:
            return
        try:
            now = topic_id(self._kafka, USAGE)
        except KafkaUnreachableError:
            now = self._began_on
        self._looked = self._clock()
        if now != self._began_on:
            raise TopicChangedError(
                f"topic {USAGE}: it was deleted or created again while the source was played; the "
                "next playback plays all of it again"
            )
