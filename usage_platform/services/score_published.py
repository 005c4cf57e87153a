"""Reads from the topics what a scorer published before what it holds.

Belongs here: how far back to read. Not here: which messages are needed
(`core.anomalies.published_past`), the readings (`score_state`).

The broker appends a message on an episode or an anomaly after the readings that it is about, and no
reading is accepted that lies in the broker's future: what is about an instant came after it.
"""

from typing import Any

from confluent_kafka import Consumer

from usage_platform.adapters.kafka.committed_since import committed_since
from usage_platform.adapters.kafka.events import arrivals
from usage_platform.adapters.kafka.topics import ANOMALY, EPISODE, KafkaSettings
from usage_platform.core.anomalies.message_parsing import (
    anomaly_rows,
    parse_anomaly,
    parse_episode_event,
)
from usage_platform.core.anomalies.published_past import (
    Arrival,
    EpisodesInWindow,
    PublishedPast,
    Window,
)
from usage_platform.services.score_fencing import TRANSACTION_TIMEOUT_MS

_SECONDS = TRANSACTION_TIMEOUT_MS / 1000


def published_past(
    client: Consumer, kafka: KafkaSettings, window: Window, since: int, all_open: bool
) -> PublishedPast:
    """What was published of the meters of a window, and is needed.

    Args:
        client: A consumer as of `adapters.kafka.events.committed_reader`.
        kafka: The brokers.
        window: From when on each meter's past is needed.
        since: The earliest of these instants, ns since 1970 UTC.
        all_open: Whether open episodes are needed that began before and were last heard of before.

    Raises:
        KafkaException: When the broker refuses or is silent.
    """
    episodes = _episodes(client, kafka, window, None if all_open else since)
    first = since if episodes.earliest is None else min(since, episodes.earliest)
    anomalies: list[tuple[Arrival, dict[str, Any]]] = []
    for arrival, message in arrivals(committed_since(client, kafka, ANOMALY, first, _SECONDS)):
        anomaly = parse_anomaly(message.value())
        if anomaly is not None and episodes.needs(anomaly):
            anomalies.append((arrival, anomaly))
    anomalies.sort(key=lambda one: one[0])
    return PublishedPast(anomaly_rows([one for _, one in anomalies]), episodes.events())


def _episodes(
    client: Consumer, kafka: KafkaSettings, window: Window, since: int | None
) -> EpisodesInWindow:
    """The episodes that are needed, with all their messages."""
    episodes = EpisodesInWindow(window)
    for arrival, message in arrivals(committed_since(client, kafka, EPISODE, since, _SECONDS)):
        event = parse_episode_event(message.value())
        if event is not None:
            episodes.add(arrival, event)
    if since is not None and episodes.earliest is not None and episodes.earliest < since:
        # Of an episode that reaches into the window the first messages are needed as well.
        return _episodes(client, kafka, window, episodes.earliest)
    return episodes
