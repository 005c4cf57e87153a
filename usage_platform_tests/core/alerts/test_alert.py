"""Which messages on an episode alert people, and what they read."""

import json
from datetime import UTC, datetime
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.alerts.alert import AlertState, Severity, Standing
from usage_platform.core.alerts.alert_texts import trial_alert
from usage_platform.core.alerts.sent_alerts import KEPT_SECONDS, SentAlerts
from usage_platform.core.meters import Meter

METER = Meter("library")
EPISODE = "2024-03-10T06:30Z"
STATUSES = ("opened", "updated", "closed", "withdrawn")
LIFE = st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from(list(Severity))), max_size=12)


def message(status, severity="high", episode=EPISODE, **more):
    """A message of the topic `episode`; a withdrawal says nothing but the name."""
    said = {
        "event_id": "e",
        "meter": "library",
        "status": status,
        "at": "2024-03-10T01:30:00-05:00",
    }
    if status == "withdrawn":
        return {**said, "episode": episode}
    return {
        **said,
        "episode": episode,
        "start": "2024-03-10T01:30:00-05:00",
        "end": "2024-03-10T03:45:00-04:00",
        "kind": "night_load",
        "severity": str(severity),
        "excess_kwh": 1234.5,
        "explanation": "night load: 900.0 kW where 300 to 400 kW are expected, +41.7 kWh",
        **more,
    }


def told(messages, least=Severity.LOW, book=None):
    """The alerts that messages give rise to, each marked as told."""
    book = book or SentAlerts()
    alerts = []
    for one in messages:
        alert = book.due(one, least, METER)
        if alert is not None:
            book.mark(f"{alert.meter}/{alert.episode}", alert.standing)
            alerts.append(alert)
    return alerts


def states(*lives, least=Severity.LOW):
    return [str(alert.standing.state) for alert in told([message(*one) for one in lives], least)]


def test_an_episode_alerts_at_its_opening_and_at_its_end_and_not_between():
    lives = [("opened",), ("updated",), ("updated",), ("closed",), ("closed",)]
    assert states(*lives) == ["opened", "closed"]


def test_an_episode_that_gets_bad_later_is_told_then():
    lives = [("opened", "low"), ("updated", "medium"), ("updated", "high"), ("closed", "high")]
    assert states(*lives, least=Severity.MEDIUM) == ["opened", "closed"]
    assert states(*lives, least=Severity.HIGH) == ["opened", "closed"]
    assert states(*lives[:1], ("closed", "low"), least=Severity.MEDIUM) == []


def test_an_episode_that_is_told_only_once_it_is_over_is_told_as_such():
    assert states(("closed", "medium")) == ["closed"]


def test_only_what_was_told_is_withdrawn():
    assert states(("opened",), ("withdrawn",)) == ["opened", "withdrawn"]
    assert states(("opened", "low"), ("withdrawn",), least=Severity.HIGH) == []


def test_a_withdrawn_episode_that_comes_back_is_told_anew_under_other_keys():
    lives = [("opened",), ("closed",), ("withdrawn",), ("opened",), ("closed",)]
    keys = [alert.key for alert in told([message(*one) for one in lives])]
    name = f"library/{EPISODE}"
    first = [f"{name}:opened", f"{name}:closed", f"{name}:withdrawn"]
    assert keys == [*first, f"{name}:opened:2", f"{name}:closed:2"]


@given(LIFE, st.sampled_from(list(Severity)))
def test_no_alert_comes_twice_and_each_closing_or_withdrawal_follows_what_it_ends(lives, least):
    alerts = told([message(*one) for one in lives], least)
    assert len({alert.key for alert in alerts}) == len(alerts)
    for before, after in pairwise(alerts):
        pair = before.standing.state, after.standing.state
        assert pair not in {
            (AlertState.OPENED, AlertState.OPENED),
            (AlertState.CLOSED, AlertState.OPENED),
            (AlertState.CLOSED, AlertState.CLOSED),
            (AlertState.WITHDRAWN, AlertState.WITHDRAWN),
        }
        assert (after.standing.times == before.standing.times + 1) == (
            before.standing.state is AlertState.WITHDRAWN
        )


@given(LIFE)
def test_a_message_that_comes_again_at_once_alerts_nobody(lives):
    twice = [message(*one) for one in lives for _ in range(2)]
    once = [message(*one) for one in lives]
    assert [a.key for a in told(twice)] == [a.key for a in told(once)]


@given(LIFE, st.integers(0, 12))
def test_what_was_kept_of_the_told_goes_on_as_if_nothing_had_happened(lives, cut):
    messages = [message(*one) for one in lives]
    whole = [alert.key for alert in told(messages)]
    book = SentAlerts()
    first = told(messages[:cut], book=book)
    rest = told(messages[cut:], book=SentAlerts(book.standings))
    assert [alert.key for alert in first + rest] == whole


def test_what_is_over_is_forgotten_after_a_month_and_what_is_open_never():
    month = KEPT_SECONDS
    states = {
        "library/open": Standing(AlertState.OPENED, at=1.0),
        "library/over": Standing(AlertState.CLOSED, at=1.0),
        "library/none": Standing(AlertState.WITHDRAWN, at=1.0),
        "library/just": Standing(AlertState.CLOSED, at=2.0),
        "library/unknown": Standing(AlertState.CLOSED),
    }
    book = SentAlerts(states)
    book.forget(month + 1.5)
    assert set(book.standings) == {"library/open", "library/just", "library/unknown"}
    # A former version did not write when: its month begins now.
    book.forget(2 * month)
    assert set(book.standings) == {"library/open", "library/unknown"}
    book.forget(3 * month)
    assert set(book.standings) == {"library/open"}


def test_however_many_episodes_are_open_none_is_told_again():
    lives = [
        message(status, episode=f"2024-{day // 28 + 1:02}-{day % 28 + 1:02}T{hour:02}:30Z")
        for status in ("opened", "updated")
        for day in range(250)
        for hour in range(24)
    ]
    book = SentAlerts()
    assert len(told(lives, book=book)) == len(lives) // 2 == 6_000
    book = SentAlerts(book.standings)
    book.forget(1e9)
    assert told(lives, book=book) == []


def test_a_silence_is_told_in_its_own_words():
    name = "2024-03-10T06:30Z"
    said = "no reading has come for longer than the 15 min that are usual for this meter"
    opening = message("opened", "medium", kind="silent", excess_kwh=None, explanation=said)
    ending = message("closed", "low", kind="gap", excess_kwh=None)
    opened, closed = told([opening, ending])
    assert opened.title == "library: silent since 01:30 (medium)"
    assert opened.text.splitlines()[1] == f"N{said[1:]}."
    assert closed.title == "library: silence is over after 1 h 15 min (low)"
    _, withdrawn = told([opening, message("withdrawn", episode=name)])
    assert withdrawn.title == "library: silence of 2024-03-10 01:30 is over"
    assert "late" in withdrawn.text


def test_people_read_the_buildings_local_time_over_a_clock_change():
    opened, closed, withdrawn = told([message("opened"), message("closed"), message("withdrawn")])
    assert opened.title == "library: night load since 01:30 (high)"
    assert opened.text == (
        "Since Sun 10 Mar 2024, 01:30 EST.\n"
        "Night load: 900.0 kW where 300 to 400 kW are expected, +41.7 kWh.\n"
        "Against what was expected: +1,234 kWh so far."
    )
    assert closed.title == "library: night load is over after 1 h 15 min (high)"
    assert closed.text.startswith("From Sun 10 Mar 2024, 01:30 EST to Sun 10 Mar 2024, 03:45 EDT.")
    assert withdrawn.title == "library: false alarm of 2024-03-10 01:30 withdrawn"


def test_a_gap_has_no_energy_to_speak_of():
    said = "5 readings are missing: nothing came for 0.4 h"
    gap = message("closed", "medium", kind="gap", excess_kwh=None, explanation=said)
    (alert,) = told([gap])
    assert alert.text.splitlines()[1:] == [f"{said}."]


def test_programs_get_the_message_as_it_came():
    (alert,) = told([message("opened")])
    assert json.loads(json.dumps(alert.as_json()))["event"] == message("opened")
    assert alert.as_json()["id"] == alert.key


def test_a_test_says_that_it_is_one():
    alert = trial_alert(METER, datetime(2024, 7, 1, 12, tzinfo=UTC))
    assert "test" in alert.title
    assert "08:00 EDT" in alert.text


def peak_message(status, **more):
    """A message on a peak warning of the day on which the clocks change."""
    return {
        **message(status, "medium", episode="2024-03-10T00:00-05:00", excess_kwh=None),
        "kind": "peak_warning",
        "start": "2024-03-10T00:00:00-05:00",
        "cost": 84.2,
        "currency": "USD",
        "explanation": "with a probability of 62% this day exceeds it",
        **more,
    }


def test_a_peak_warning_is_told_in_its_own_words():
    opened, closed = told([peak_message("opened"), peak_message("closed", outcome="exceeded")])
    assert opened.key == "library/2024-03-10T00:00-05:00:opened"
    assert opened.title == "library: peak warning for Sun 10 Mar 2024 (medium)"
    assert opened.text == (
        "With a probability of 62% this day exceeds it.\n"
        "Such a peak would raise the month's demand charges by 84.20 USD, before taxes."
    )
    assert closed.title == "library: peak warning for Sun 10 Mar 2024: a new peak was set (medium)"
    (free,) = told([peak_message("opened", cost=None)])
    assert free.text.splitlines() == ["With a probability of 62% this day exceeds it."]
