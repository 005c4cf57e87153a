"""A memory of the stream that is watched: what it consumed, asked for and told.

Belongs here: feeding it, and what tests compare. Not here: the readings and models (the tests).
"""

from copy import deepcopy
from itertools import pairwise

import pandas as pd

from usage_platform.core.anomalies import stream as stream_module
from usage_platform.core.anomalies.anomaly import (
    WITHDRAWN,
    anomaly_messages,
    no_anomalies,
)
from usage_platform.core.anomalies.episode_messages import EpisodeStatus
from usage_platform.core.anomalies.message_parsing import (
    anomaly_rows,
    parse_anomaly,
    parse_episode_event,
)
from usage_platform.core.anomalies.published_past import EpisodesInWindow, PublishedPast
from usage_platform.core.anomalies.stream import ScorerState
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.core.detector.series import HOURLY, MONDAY

OTHER = Meter("n", HOURLY.timezone, 60)
REGISTRY = MeterRegistry(HOURLY).with_meters([OTHER])
START = pd.Timestamp(MONDAY, tz="UTC")
HOUR = pd.Timedelta(hours=1)
BEGINNING = -(2**62)


def on_day(day):
    return START + pd.Timedelta(days=day)


class Stream:
    """A memory, what it consumed and what it told."""

    def __init__(self, timeline):
        self.timeline = timeline
        self.consumed, self.said, self.events, self.asked = [], [], [], []
        self.memory = ScorerState(self)

    def readings(self, meter, first, end):
        self.asked.append((meter, first, end))
        rows = pd.concat(self.consumed)
        span = rows["event_time"].between(
            pd.Timestamp(first, tz="UTC"), pd.Timestamp(end, tz="UTC"), inclusive="left"
        )
        return rows[span & (rows["meter"] == meter)]

    def published(self, since):
        return self.published_in(since.get)

    def published_in(self, window):
        """What was said so far of a window, as it is found on the topics."""
        episodes, anomalies = EpisodesInWindow(window), []
        for number, event in enumerate(self.events):
            episodes.add((number, 0, 0), parse_episode_event(event.value))
        for said in self.said:
            found = [parse_anomaly(value) for value in anomaly_messages(said, REGISTRY)]
            anomalies += [one for one in found if episodes.needs(one)]
        return PublishedPast(anomaly_rows(anomalies), episodes.events())

    def take(self, batch):
        self.consumed.append(batch)
        to_tell = self.memory.process(batch, self.timeline, REGISTRY)
        self.said.append(to_tell.anomalies)
        self.events += to_tell.episodes
        return to_tell

    def copy(self):
        other = Stream(self.timeline)
        kept = ("history", "published", "published_episodes", "floor", "horizon")
        other.memory = ScorerState(
            other, **{name: deepcopy(getattr(self.memory, name)) for name in kept}
        )
        for name in ("consumed", "said", "events"):
            setattr(other, name, list(getattr(self, name)))
        return other

    def rebuilt(self):
        """As a scorer starts again: what was told, and no more history than it must have."""
        other = self.copy()
        memory = other.memory = ScorerState(other)
        rows = pd.concat(self.consumed)
        since = rows["event_time"].max() - stream_module.LOOK_BACK
        memory.history.add(rows[rows["event_time"] >= since])
        memory.floor = since.value
        memory.add_published_past(self.published_in(lambda meter: since.value))
        return other

    def stands(self):
        rows = [
            row for meter in ("m", "n") for row in self.memory.published.of(meter, BEGINNING).rows
        ]
        return pd.DataFrame(rows) if rows else no_anomalies()

    def heard(self):
        """What somebody knows who read all that was told."""
        said = pd.concat([part for part in self.said if len(part)])
        last = said.drop_duplicates("anomaly_id", keep="last")
        return last[last["status"] != WITHDRAWN]

    def last_states(self):
        last = {(event.meter, event.episode): event for event in self.events}
        return {
            event.state_id for event in last.values() if event.status is not EpisodeStatus.WITHDRAWN
        }

    def assert_ids_are_unique(self):
        """A consumer that drops the messages whose id it has seen drops none."""
        ids = [event.event_id for event in self.events]
        assert len(set(ids)) == len(ids)


def batches_of(rows, cuts):
    bounds = [0, *sorted(cuts), len(rows)]
    return [rows.iloc[a:b] for a, b in pairwise(bounds) if b > a]


def assert_same(one, other):
    by = ["meter", "event_time"]
    one, other = (rows.sort_values(by, ignore_index=True) for rows in (one, other))
    pd.testing.assert_frame_equal(one, other, check_exact=True)
