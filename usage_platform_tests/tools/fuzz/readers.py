"""The readers of the topics, and what must hold after any messages.

Belongs here: sending messages, having every reader read them, and the checks. Not here: which
messages (`random_messages`).
"""

import json
from collections.abc import Sequence
from contextlib import closing

import pandas as pd
from confluent_kafka import KafkaError, KafkaException, Producer

from usage_platform.adapters.kafka.events import raw_frame
from usage_platform.adapters.kafka.playback_position import played_since
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    DEAD_LETTERS,
    EPISODE,
    USAGE,
    KafkaSettings,
    end_offsets,
)
from usage_platform.adapters.kafka.watch import BEGINNING, values_since
from usage_platform.adapters.lake.admitted_meters import AdmittedMeters
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.console.message_lines import anomaly_line, episode_line, json_line
from usage_platform.core.anomalies.message_parsing import parse_anomaly, parse_episode
from usage_platform.core.detector.manifest import Model
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.limits import EventLimits
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.validation import validate_events
from usage_platform.services.progress import lag_of_scoring
from usage_platform.services.score import Scorer
from usage_platform.services.tick_request import TickRequest
from usage_platform.web.live import news_of
from usage_platform_tests.tools.fuzz.random_messages import Sent
from usage_platform_tests.topics import read_events

MOST_METERS = 8
REGISTRY = MeterRegistry(Meter("library"), limits=EventLimits(meters=MOST_METERS))
_GOOD = Meter("after all")
_FIRST = pd.Timestamp("2024-03-05T00:00:00Z")
_REFUSED = (KafkaError.MSG_SIZE_TOO_LARGE, KafkaError._MSG_TIMED_OUT)


def _no_model(version: str) -> Model:
    raise AssertionError(version)


_NO_MODELS = ModelTimeline([], _no_model)


class Readers:
    """The readers of one broker's topics, from round to round.

    Args:
        kafka: The brokers, with empty topics.
        lake: An empty lake.
    """

    def __init__(self, kafka: KafkaSettings, lake: Lake) -> None:
        self._kafka = kafka
        self._lake = lake
        self._registry = REGISTRY.with_meters([_GOOD])
        self._rounds = 0

    def read(self, messages: Sequence[Sent]) -> None:
        """Send messages and one good event, have all read by all, and check what is left."""
        self._rounds += 1
        for codec in sorted({message.codec for message in messages}):
            self._send(codec, [message for message in messages if message.codec == codec])
        at = _FIRST + self._rounds * pd.Timedelta(minutes=5)
        good = {"meter": _GOOD.name, "ts": at.isoformat(), "value": 1}
        self._send("none", [Sent(USAGE, None, json.dumps(good).encode(), "none")])
        self._scorer_goes_on(at)
        self._others_go_on()

    def _send(self, codec: str, messages: Sequence[Sent]) -> None:
        errors: list[KafkaError] = []
        producer = Producer(
            self._kafka.client(**{"compression.type": codec, "message.max.bytes": 10_000_000})
        )
        for message in messages:
            try:
                producer.produce(
                    message.topic,
                    message.value,
                    message.key,
                    on_delivery=lambda error, _: errors.append(error) if error else None,
                )
            except KafkaException as refused:  # By the producer itself, before it is sent.
                errors.append(refused.args[0])
        assert producer.flush(120) == 0
        assert all(error.code() in _REFUSED for error in errors), errors

    def _scorer_goes_on(self, newest: pd.Timestamp) -> None:
        """A scorer that starts reads all of each topic, and every event is accounted for."""
        letters = len(read_events(self._kafka, DEAD_LETTERS))
        done = 0
        with closing(Scorer(self._kafka, LakeReader(self._lake))) as scorer:
            waiting = lag_of_scoring(self._kafka, self._registry).events
            while True:
                result = scorer.tick(TickRequest(_NO_MODELS, self._registry, 60.0))
                done += result.events
                letters += result.rejected
                if not result.lag:
                    break
            memory = scorer._memory
        assert done == waiting
        assert len(read_events(self._kafka, DEAD_LETTERS)) == letters
        assert memory is not None
        assert memory.history.newest(_GOOD.name) == newest.value
        assert len(memory.history.meters()) <= MOST_METERS

    def _others_go_on(self) -> None:
        messages = [
            m for topic in (USAGE, ANOMALY, EPISODE) for m in read_events(self._kafka, topic)
        ]
        usage = [message for message in messages if message.topic() == USAGE]
        admitted = AdmittedMeters(self._lake).known
        batch = validate_events(raw_frame(usage), self._registry, admitted)
        assert len(batch.readings) + batch.superseded + len(batch.rejects) == len(usage)
        assert len(usage) == sum(
            high - low for low, high in end_offsets(self._kafka, USAGE).values()
        )
        assert news_of(messages, self._registry)
        played_since(self._kafka, ["fuzz"], {}, self._registry)
        for topic, parse, line in (
            (ANOMALY, parse_anomaly, anomaly_line),
            (EPISODE, parse_episode, episode_line),
        ):
            for values in values_since(self._kafka, topic, BEGINNING, False, print):
                for readable in filter(None, map(parse, values)):
                    assert line(readable).isprintable()
                    assert json_line(readable)
