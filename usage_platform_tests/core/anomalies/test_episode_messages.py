import json

import pandas as pd
import pytest

from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform.core.anomalies.episode_messages import (
    EpisodeStatus,
    PublishedEpisodes,
    episode_events,
    withdrawn_episodes,
)
from usage_platform.core.anomalies.message_parsing import parse_episode_event
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.core.detector.made_models import cut_forests, model, readings, timeline_of

METER = Meter("m", "America/New_York", 60)
QUARTERS = Meter("m", "America/New_York", 15)
START = pd.Timestamp("2024-03-05T10:00:00Z")
HOUR = pd.Timedelta(hours=1)


def odd_at(*hours, value=500.0):
    timeline = timeline_of(model("v", START - HOUR, {"m": cut_forests(METER)}))
    rows = readings(*(("m", START + hour * HOUR, value) for hour in hours))
    return find_anomalies(rows, timeline, MeterRegistry(METER)).anomalies


def life(odd, newest, meter=METER):
    events = episode_events(odd, START + newest * HOUR, meter)
    told = [json.loads(event.value) for event in events]
    return [(e["status"], (pd.Timestamp(e["at"]) - START) / HOUR, e["readings"]) for e in told]


def test_an_episode_is_opened_updated_each_hour_and_closed_once():
    odd = odd_at(0, 0.25, 0.5, 1.25, 1.5, 2.25)
    until_closed = [
        ("opened", 0, 1),
        ("updated", 1, 3),
        ("updated", 2, 5),
        ("closed", 3.25, 6),
    ]
    assert life(odd, 2.25, QUARTERS) == until_closed[:3]
    assert life(odd, 3, QUARTERS) == until_closed[:3]
    assert life(odd, 3.25, QUARTERS) == until_closed
    assert life(odd, 99, QUARTERS) == until_closed


def test_a_single_odd_reading_is_opened_and_closed_an_hour_later():
    assert life(odd_at(0), 0) == [("opened", 0, 1)]
    assert life(odd_at(0), 1) == [("opened", 0, 1), ("closed", 1, 1)]


def test_two_episodes_have_a_life_each():
    statuses = [(status, at) for status, at, _ in life(odd_at(0, 5), 6)]
    assert statuses == [("opened", 0), ("closed", 1), ("opened", 5), ("closed", 6)]


def test_messages_of_the_past_do_not_change_as_the_episode_goes_on():
    odd = odd_at(0, 1, 2, 3)
    whole = [event.event_id for event in episode_events(odd, START + 9 * HOUR, METER)]
    for hours in range(1, 4):
        part = episode_events(odd.iloc[:hours], START + (hours - 1) * HOUR, METER)
        assert [event.event_id for event in part] == whole[: len(part)]
    assert len(set(whole)) == len(whole) == 5


def test_a_message_tells_the_peak_in_local_time():
    *_, closed = episode_events(odd_at(0, 1), START + 2 * HOUR, METER)
    said = json.loads(closed.value)
    assert parse_episode_event(closed.value) == closed
    assert closed.status is EpisodeStatus.CLOSED
    assert said["meter"] == "m"
    assert (said["start"], said["end"]) == (
        "2024-03-05T05:00:00-05:00",
        "2024-03-05T07:00:00-05:00",
    )
    assert said["episode"] == closed.episode == "2024-03-05T10:00Z"
    assert said["peak_value"] == 500.0
    assert said["excess_kwh"] == 700.0
    assert said["explanation"].startswith("spike: 500.0 kW")
    assert said["model_version"] == "v"


def test_an_unknown_number_is_null():
    (opened,) = episode_events(odd_at(0).assign(expected=float("nan")), START, METER)
    assert json.loads(opened.value)["peak_expected"] is None


@pytest.mark.parametrize("nothing", [odd_at()])
def test_no_anomalies_make_no_message(nothing):
    assert episode_events(nothing, START, METER) == []
    assert withdrawn_episodes(set(), START, METER) == []


def published_of(*rounds):
    """The messages that each of some rounds publishes, all on one episode."""
    published, messages = PublishedEpisodes(), []
    for events in rounds:
        new = published.unpublished(events)
        for event in new:
            assert parse_episode_event(event.value) == event
            published.add(event)
        messages.append(new)
    ids = [event.event_id for new in messages for event in new]
    assert len(set(ids)) == len(ids)
    return messages


def statuses(rounds):
    return [[event.status.value for event in new] for new in rounds]


def test_what_was_published_is_not_published_again():
    begun, whole = (episode_events(odd_at(0), START + n * HOUR, METER) for n in (0, 1))
    rounds = published_of(begun, begun, whole, whole)
    assert statuses(rounds) == [["opened"], [], ["closed"], []]


def test_an_episode_that_stands_again_after_its_withdrawal_is_published_again():
    stands = episode_events(odd_at(0), START, METER)
    gone = withdrawn_episodes({stands[0].episode}, START, METER)
    rounds = published_of(stands, gone, stands, gone)
    assert statuses(rounds) == [["opened"], ["withdrawn"], ["opened"], ["withdrawn"]]


def test_the_last_message_is_the_present_state_when_a_change_is_taken_back():
    one, two = (episode_events(odd_at(0, value=kw), START + HOUR, METER) for kw in (500.0, 600.0))
    both = ["opened", "closed"]
    rounds = published_of(one, two, one, one)
    assert statuses(rounds) == [both, both, ["closed"], []]
    first, again = rounds[0][-1], rounds[2][-1]
    assert again.state_id == first.event_id
    assert again.event_id == f"{first.event_id}:2"
    numbered = {**json.loads(first.value), "event_id": again.event_id}
    assert json.loads(again.value) == numbered


def test_a_state_is_numbered_after_the_messages_of_an_earlier_version():
    whole = episode_events(odd_at(0), START + HOUR, METER)
    other = episode_events(odd_at(0, value=600.0), START + HOUR, METER)
    published = PublishedEpisodes()
    for event in (whole[-1], other[-1], whole[-1], other[-1]):
        published.add(event)
    assert [one.event_id for one in published.unpublished(whole)] == [
        whole[0].event_id,
        f"{whole[-1].event_id}:3",
    ]
