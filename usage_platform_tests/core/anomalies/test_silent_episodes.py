"""A silence and the gap that it becomes are one episode, with one end."""

import json

import pandas as pd

from usage_platform.core.anomalies.gap_messages import SILENT
from usage_platform_tests.core.anomalies.streamed import HOUR, REGISTRY, START, Stream, on_day
from usage_platform_tests.core.detector.made_models import (
    cut_forests,
    hourly,
    model,
    timeline_of,
)
from usage_platform_tests.core.detector.series import HOURLY

DELAY = pd.Timedelta(minutes=2)
LEAST = pd.Timedelta(minutes=15)
SIX = hourly(START, [150] * 6)
LAST = START + 5 * HOUR


class Live(Stream):
    """A stream that is told when its readings arrive."""

    def __init__(self):
        super().__init__(timeline_of(model("v", START, {"m": cut_forests(HOURLY)})))

    def take(self, batch, at=None):
        arrived = batch["event_time"] + HOUR + DELAY if at is None else at
        output = super().take(batch)
        self.memory.silence.add(batch.assign(kafka_time=arrived), REGISTRY)
        return output

    def check(self, since, hours=12):
        """The messages of the checks of some hours."""
        times = pd.date_range(since, since + hours * HOUR, freq="4min")
        found = [
            event
            for now in times
            for event in self.memory.report_silence(now.value, LEAST.value, REGISTRY, dict)
        ]
        self.events += found
        return said(found)


def said(events):
    return [(event.episode, event.status.value, event.kind) for event in events]


def silent():
    """A stream whose meter has fallen silent after six readings."""
    stream = Live()
    stream.take(SIX)
    assert stream.check(LAST + HOUR) == [("2024-01-01T11:00Z", "opened", SILENT)]
    return stream


def test_a_silence_opens_an_episode_from_the_first_missing_interval_on():
    (event,) = silent().events
    message = json.loads(event.value)
    assert message["start"] == "2024-01-01T06:00:00-05:00"
    assert message["at"] == message["end"] == "2024-01-01T09:00:00-05:00"
    assert (message["severity"], message["readings"]) == ("medium", 0)
    assert message["explanation"] == (
        "no reading has come for longer than the 3.0 h that are usual for this meter"
    )


def test_the_id_of_the_message_does_not_depend_on_when_the_check_was():
    ids = set()
    for pause in range(3, 9):
        stream = Live()
        stream.take(SIX)
        stream.check(LAST + HOUR, 0)
        stream.check(LAST + (1 + pause) * HOUR)
        ids |= {event.event_id for event in stream.events}
    assert len(ids) == 1


def test_the_first_reading_closes_it_as_the_gap_that_it_was():
    stream = silent()
    output = stream.take(hourly(START + 12 * HOUR, [150]))
    assert said(output.episodes) == [("2024-01-01T11:00Z", "closed", "gap")]
    assert said(stream.take(hourly(START + 13 * HOUR, [150])).episodes) == []


def test_a_gap_too_short_for_a_message_closes_the_silence_all_the_same():
    stream = silent()
    output = stream.take(hourly(START + 7 * HOUR, [150]))
    assert said(output.episodes) == [("2024-01-01T11:00Z", "closed", "gap")]


def test_readings_that_were_only_late_withdraw_it_in_whatever_order_they_come():
    late = hourly(START + 6 * HOUR, [150] * 6)
    for parts in ([late], [late.iloc[:1], late.iloc[1:]], [late.iloc[3:], late.iloc[:3]]):
        stream = silent()
        for part in parts:
            stream.take(part, at=START + 12 * HOUR)
        assert stream.last_states() == set()
        assert stream.events[-1].status == "withdrawn"


def test_an_older_reading_leaves_it_open():
    stream = Live()
    stream.take(SIX.drop(2))
    stream.check(LAST + HOUR)
    output = stream.take(SIX.iloc[[2]], at=START + 12 * HOUR)
    assert not any(event.episode == "2024-01-01T11:00Z" for event in output.episodes)


def test_a_scorer_that_starts_neither_repeats_nor_forgets_it():
    stream = silent()
    other = stream.rebuilt()
    for row in (stream, other):
        output = row.take(hourly(START + 12 * HOUR, [150]))
        assert said(output.episodes) == [("2024-01-01T11:00Z", "closed", "gap")]


def test_a_silence_of_months_is_closed_though_the_reading_before_it_left_the_memory():
    stream = silent()
    stream.take(hourly(on_day(200), [150], "n"), at=on_day(200) + HOUR)
    other = stream.rebuilt()
    assert not len(other.memory.history.of("m").instants)
    output = other.take(hourly(on_day(200), [150]))
    ((name, status, kind),) = said(output.episodes)
    assert (name, status, kind) == ("2024-01-01T11:00Z", "closed", "gap")
