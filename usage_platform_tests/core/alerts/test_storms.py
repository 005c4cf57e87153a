"""Many episodes of one kind at one time are one alert, and so is their end."""

import json
from dataclasses import asdict, replace

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from usage_platform.core.alerts.alert import Alert, AlertState, Severity
from usage_platform.core.alerts.sent_alerts import SentAlerts
from usage_platform.core.alerts.storms import (
    MOST_ALONE,
    PAUSE_SECONDS,
    Storm,
    Storms,
    storm_alert,
)
from usage_platform.core.meters import Meter

SINCE = pd.Timestamp("2024-03-10T18:05Z")
ZONE = "America/New_York"


def message(meter, status="opened", minutes=0, kind="silent", severity="medium"):
    start = SINCE + pd.Timedelta(minutes=minutes)
    said = {
        "event_id": "e",
        "meter": meter,
        "status": status,
        "at": start.isoformat(),
        "episode": f"{start:%Y-%m-%dT%H:%MZ}",
    }
    if status == "withdrawn":
        return said
    return {
        **said,
        "start": start.isoformat(),
        "end": (start + pd.Timedelta(hours=1)).isoformat(),
        "kind": kind,
        "severity": severity,
        "explanation": "said",
    }


def opening(count, **more):
    return [message(f"m{n:04}", **more) for n in range(count)]


class Told:
    """What a sink is told, turn by turn; what is kept goes through JSON between two turns."""

    def __init__(self, least=Severity.LOW):
        self.sent, self.storms, self.least = SentAlerts(), {}, least
        self.now = 1_000.0

    def turn(self, events, seconds=10.0):
        self.now += seconds
        known = TypeAdapter(dict[str, Storm]).validate_python(
            json.loads(json.dumps({key: asdict(one) for key, one in self.storms.items()}))
        )
        storms = Storms(self.sent, known)
        alerts: list[Alert] = []
        storms.look_ahead(events, self.least)
        for event in events:
            if storms.take(event, self.least, self.now):
                continue
            alert = self.sent.due(event, self.least, Meter(event["meter"], ZONE))
            if alert is not None:
                alerts.append(alert)
                standing = replace(alert.standing, at=self.now)
                self.sent.mark(f"{alert.meter}/{alert.episode}", standing)
        while (storm := storms.due(self.now)) is not None:
            alerts.append(storm_alert(storm, Meter(storm.first[0], ZONE)))
            storms.mark_sent(storm.key, self.now)
        self.storms = storms.known
        return alerts


def titles(alerts):
    return [alert.title for alert in alerts]


def test_two_thousand_and_one_meters_are_one_alert_and_so_is_their_return():
    told = Told()
    (alert,) = told.turn(opening(2001))
    assert alert.title == "2,001 meters silent since 14:05 (medium)"
    assert alert.text == (
        "Since Sun 10 Mar 2024, 14:05 EDT.\n"
        "Meters: m0000, m0001, m0002, m0003, m0004 and 1,996 more.\n"
        "2,001 of them are affected now. Each is on the topic `episode`."
    )
    assert alert.as_json()["event"]["meters"] == 2001
    back = [message(f"m{n:04}", "closed", kind="gap") for n in range(2001)]
    assert titles(told.turn(back[:1000])) == []
    assert titles(told.turn(back[1000:1998], PAUSE_SECONDS)) == [
        "1,998 of 2,001 meters silent since 14:05 are back"
    ]
    assert titles(told.turn([])) == []
    assert titles(told.turn(back[1998:])) == ["all 2,001 meters silent since 14:05 are back"]
    assert titles(told.turn([], 2 * 3600)) == []
    assert told.storms == {}


def test_as_many_as_can_be_read_are_told_one_by_one():
    told = Told()
    alerts = told.turn(opening(MOST_ALONE))
    assert [alert.meter for alert in alerts] == [f"m{n:04}" for n in range(MOST_ALONE)]
    assert len(told.turn([message("m0003", "closed", kind="gap")])) == 1


def test_a_storm_that_comes_in_drops_is_seen_and_counts_those_told_before():
    told = Told()
    said = [titles(told.turn([event])) for event in opening(50)]
    assert [len(one) for one in said[:MOST_ALONE]] == [1] * MOST_ALONE
    assert said[MOST_ALONE] == ["11 meters silent since 14:05 (medium)"]
    assert sum(len(one) for one in said) <= MOST_ALONE + 1 + 50 * 10 / PAUSE_SECONDS
    assert titles(told.turn([], PAUSE_SECONDS)) == ["50 meters silent since 14:05 (medium)"]
    # Those who were told alone end with the storm.
    back = [message(f"m{n:04}", "closed", kind="gap") for n in range(50)]
    assert titles(told.turn(back)) == ["all 50 meters silent since 14:05 are back"]


def test_other_kinds_and_other_times_are_no_part_of_it():
    told = Told()
    apart = [message(f"d{day}", minutes=day * 24 * 60, kind="spike") for day in range(40)]
    assert len(told.turn(apart)) == 40
    other = message("x", kind="spike")
    assert len(told.turn([*opening(20), other])) == 2


def test_gaps_that_are_known_only_after_their_end_are_one_alert():
    told = Told()
    (alert,) = told.turn([message(f"m{n}", "closed", kind="gap") for n in range(30)])
    assert alert.title == "all 30 meters silent since 14:05 are back"
    assert alert.standing.state is AlertState.CLOSED


def test_readings_that_were_only_late_end_a_storm_and_nobody_is_told_of_each():
    told = Told()
    told.turn(opening(20))
    assert titles(told.turn([message(f"m{n:04}", "closed", kind="gap") for n in range(20)])) == [
        "all 20 meters silent since 14:05 are back"
    ]
    late = [message(f"m{n:04}", "withdrawn") for n in range(20)]
    assert titles(told.turn(late, 2 * 3600)) == []


def test_what_is_less_severe_than_wanted_is_no_part_of_it():
    told = Told(least=Severity.HIGH)
    assert told.turn(opening(50)) == []
    (alert,) = told.turn(opening(50, status="updated", severity="high", kind="night_load"))
    assert alert.title == "50 meters with night load since 14:05 (high)"


def test_an_alert_that_is_repeated_says_the_same_though_the_storm_has_grown():
    sent = SentAlerts()
    storms = Storms(sent, {})
    events = opening(20)
    storms.look_ahead(events, Severity.LOW)
    for event in events:
        storms.take(event, Severity.LOW, 1.0)
    first = storm_alert(storms.due(1.0), Meter("m", ZONE))
    # Cut off before it was recorded as told; the record holds what was to be told.
    again = Storms(sent, storms.known)
    again.look_ahead([message("late")], Severity.LOW)
    assert again.take(message("late"), Severity.LOW, 2.0)
    repeated = storm_alert(again.due(2.0), Meter("m", ZONE))
    assert (repeated.key, repeated.title) == (first.key, first.title)
    again.mark_sent(again.due(2.0).key, 2.0)
    later = storm_alert(again.due(2.0 + PAUSE_SECONDS), Meter("m", ZONE))
    assert later.key != first.key
    assert later.title.startswith("21 meters")


@given(
    st.lists(
        st.tuples(
            st.integers(0, 30),
            st.sampled_from(["opened", "updated", "closed", "withdrawn"]),
            st.sampled_from([0, 20, 300]),
        ),
        max_size=150,
    ),
    st.integers(1, 40),
)
def test_each_open_episode_was_told_alone_or_is_counted_in_a_storm_that_was_told(lives, size):
    told, alone, last = Told(), set(), {}
    events = [message(f"m{n}", status, minutes) for n, status, minutes in lives]
    for first in range(0, len(events) + size, size):
        for alert in told.turn(events[first : first + size], PAUSE_SECONDS):
            if alert.episode:
                alone.add((alert.meter, alert.episode))
            else:
                last[alert.standing.storm] = alert.event
    for name, one in told.sent.standings.items():
        if one.state is AlertState.OPENED and not one.storm:
            assert tuple(name.split("/")) in alone
    for key, storm in told.storms.items():
        assert (last[key]["meters"], last[key]["over"]) == (storm.members, storm.over)
        members = [one for one in told.sent.standings.values() if one.storm == key]
        still = sum(one.state is AlertState.OPENED for one in members)
        assert storm.members - storm.over == still


def test_peak_warnings_of_many_meters_are_over_and_not_back():
    told = Told()
    told.turn([message(f"m{n:04}", kind="peak_warning") for n in range(20)])
    over = [message(f"m{n:04}", "closed", kind="peak_warning") for n in range(20)]
    (title,) = titles(told.turn(over))
    assert title.startswith("all 20 meters")
    assert title.endswith(" are over")
