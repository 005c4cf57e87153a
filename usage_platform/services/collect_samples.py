"""The collector: what devices publish at a broker of MQTT goes to the topic `samples`.

Belongs here: the loop between both, and when a message is acknowledged. Not here: the connection to
the broker (`adapters.mqtt`), what the samples say (`core.samples`).

A message is acknowledged once Kafka has acknowledged its sample. A kill in between has the broker
send it again: the same sample then comes twice, which changes no reading.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, Message, Producer

from usage_platform.adapters.kafka.producing import produce
from usage_platform.adapters.kafka.sample_messages import collected_header
from usage_platform.adapters.kafka.topics import (
    SAMPLE_TOPICS,
    SAMPLES,
    KafkaSettings,
    ensure_topics,
)
from usage_platform.adapters.mqtt.subscription import (
    BrokerAddress,
    MqttSubscription,
    Place,
    Published,
)
from usage_platform.core.limits import EventLimits
from usage_platform.core.samples.topic_filter import TopicFilter

CLIENT_ID = "usage-platform-collector"
"""What the broker knows this client by; its rules may name it."""

MOST_WAITING = 1_000
"""While so many samples wait for Kafka, no more are received."""

_POLL_SECONDS = 0.1
# While samples wait: brokers send only some messages ahead of their acknowledgements.
_SHORT_POLL_SECONDS = 0.005
_REPORT_SECONDS = 60.0
_LAST_SECONDS = 10.0


class CollectError(RuntimeError):
    """Kafka refused samples for good; one line with its reason."""


@dataclass
class Collected:
    """What a collector has done.

    Attributes:
        samples: Messages that Kafka has.
        unnamed: Messages whose topic names no meter, which are left out.
        meters: The names of the meters.
    """

    samples: int = 0
    unnamed: int = 0
    meters: set[str] = field(default_factory=set[str])


class Collector:
    """A collector between one broker of MQTT and Kafka. Not thread-safe.

    Args:
        kafka: The brokers of Kafka.
        broker: The broker of MQTT.
        topics: What is subscribed to; its wildcard names the meter.
        limits: What is accepted of a message; of a larger one only enough is kept to reject it.
        on_state: Called with a line when one of both is away, and with "" when it is back.
    """

    def __init__(
        self,
        kafka: KafkaSettings,
        broker: BrokerAddress,
        topics: TopicFilter,
        limits: EventLimits,
        on_state: Callable[[str], None],
    ) -> None:
        self._topics = topics
        self._limits = limits
        self._on_state = on_state
        self._kafka = kafka
        self._waiting = 0
        self._is_kafka_away = False
        self._failures: list[KafkaError] = []
        self.collected = Collected()
        self._subscription = MqttSubscription(broker, topics.text, CLIENT_ID, self._take, on_state)
        self._producer = Producer(
            kafka.client(
                **{
                    "enable.idempotence": True,
                    "compression.type": "lz4",
                    "linger.ms": 5,
                    # Wait for a broker that restarts: no sample may expire.
                    "message.timeout.ms": 0,
                    "error_cb": self._kafka_error,
                }
            )
        )

    def run(self, is_over: Callable[[], bool], report: Callable[[Collected], None]) -> Collected:
        """Collect until it is over.

        Args:
            is_over: Called several times a second.
            report: Called each minute, and at the end.

        Raises:
            CollectError: When Kafka refuses samples for good.
            SubscriptionError: When the broker of MQTT refuses for good.
            CertificateError: When the client's certificate cannot be read.
            KafkaUnreachableError: When no broker of Kafka answers at the start.
        """
        ensure_topics(self._kafka, SAMPLE_TOPICS)
        next_report = time.monotonic() + _REPORT_SECONDS
        try:
            while not is_over():
                self._turn()
                if time.monotonic() >= next_report:
                    report(self.collected)
                    next_report += _REPORT_SECONDS
        finally:
            # What has not come to Kafka by then is not acknowledged, and comes again.
            self._producer.flush(_LAST_SECONDS)
            self._subscription.close()
            report(self.collected)
        return self.collected

    def _turn(self) -> None:
        has_room = self._waiting < MOST_WAITING
        self._subscription.poll(
            _SHORT_POLL_SECONDS if self._waiting else _POLL_SECONDS, reads=has_room
        )
        self._producer.poll(0 if has_room else _POLL_SECONDS)
        if self._failures:
            raise CollectError(
                f"topic {SAMPLES}: Kafka refused a sample: {self._failures[0].str()}"
            )

    def _take(self, message: Published) -> None:
        meter = self._topics.meter_of(message.topic)
        if meter is None:
            self.collected.unnamed += 1
            self._acknowledge(message.place)
            return

        def delivered(error: KafkaError | None, _: Message) -> None:
            self._waiting -= 1
            if error is not None:
                self._failures.append(error)
                return
            if self._is_kafka_away:
                self._is_kafka_away = False
                self._on_state("")
            self.collected.samples += 1
            self.collected.meters.add(meter)
            self._acknowledge(message.place)

        self._waiting += 1
        produce(
            self._producer,
            SAMPLES,
            message.payload[: self._limits.event_bytes + 1],
            meter.encode(),
            math.inf,
            collected_header(message.received),
            delivered,
        )

    def _acknowledge(self, place: Place | None) -> None:
        if place is not None:
            self._subscription.acknowledge(place)

    def _kafka_error(self, error: KafkaError) -> None:
        if error.code() == KafkaError._ALL_BROKERS_DOWN and not self._is_kafka_away:
            self._is_kafka_away = True
            self._on_state(f"Kafka at {self._kafka.bootstrap} does not answer; samples wait")
