"""Which messages are shown: by meter, severity and time, and what follows on what was shown."""

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.core.alerts import message_filter
from usage_platform.core.alerts.alert import Severity
from usage_platform.core.alerts.message_filter import MessageFilter, Wanted

SEVERITIES = list(Severity)
NOON = datetime.fromisoformat("2024-03-10T12:00:00-04:00")


def anomaly(severity="high", meter="a", ts="2024-03-10T12:00:00-04:00", status="told", name="1"):
    return {
        "anomaly_id": name,
        "meter": meter,
        "ts": ts,
        "severity": severity,
        "status": status,
        "episode": "2024-03-10T16:00Z",
    }


def episode(status, severity="high", at="2024-03-10T12:00:00-04:00", meter="a"):
    said = {"meter": meter, "status": status, "at": at, "episode": "2024-03-10T14:00Z"}
    return said if status == "withdrawn" else {**said, "severity": severity}


def shown(wanted, *messages):
    chosen = MessageFilter(wanted)
    return [chosen.takes(message) for message in messages]


def test_without_a_wish_everything_is_shown():
    assert (
        shown(Wanted(), anomaly("low"), episode("opened", "low"), episode("withdrawn"))
        == [True] * 3
    )


def test_of_several_meters_each_is_shown_and_others_are_not():
    wanted = Wanted(frozenset({"a", "b"}))
    assert shown(wanted, *(anomaly(meter=name) for name in "abc")) == [True, True, False]


@pytest.mark.parametrize("least", SEVERITIES)
def test_what_is_less_severe_is_not_shown(least):
    wanted = Wanted(least=least)
    found = shown(wanted, *(anomaly(str(one), name=str(one)) for one in SEVERITIES))
    assert found == [SEVERITIES.index(one) >= SEVERITIES.index(least) for one in SEVERITIES]


def test_the_time_of_the_reading_decides_over_a_clock_change():
    wanted = Wanted(since=datetime.fromisoformat("2024-03-10T07:00:00+00:00"))
    before, after = "2024-03-10T01:55:00-05:00", "2024-03-10T03:00:00-04:00"
    assert shown(wanted, anomaly(ts=before), anomaly(ts=after, name="2")) == [False, True]


def test_an_episode_that_goes_on_is_shown_from_then_on():
    wanted = Wanted(since=NOON)
    earlier = "2024-03-10T11:00:00-04:00"
    found = shown(wanted, episode("opened", at=earlier), episode("updated"), episode("closed"))
    assert found == [False, True, True]


def test_an_episode_that_gets_bad_later_is_shown_then():
    lives = [episode("opened", "low"), episode("updated", "high"), episode("closed", "high")]
    assert shown(Wanted(least=Severity.MEDIUM), *lives) == [False, True, True]


def test_what_was_shown_is_followed_though_it_is_less_severe_by_now():
    found = shown(Wanted(least=Severity.HIGH), anomaly("high"), anomaly("low"), anomaly("low"))
    assert found == [True, True, True]


def test_a_withdrawal_is_shown_if_the_episode_was_or_if_nothing_was_heard_of_it():
    wanted = Wanted(least=Severity.HIGH)
    gone = episode("withdrawn")
    assert shown(wanted, episode("opened", "high"), gone) == [True, True]
    assert shown(wanted, episode("opened", "low"), gone) == [False, False]
    assert shown(wanted, gone) == [True]
    assert shown(Wanted(frozenset({"b"})), gone) == [False]


def test_episodes_of_the_same_time_of_two_meters_are_two():
    lives = [episode("opened", "low"), episode("withdrawn", meter="b")]
    assert shown(Wanted(least=Severity.HIGH), *lives) == [False, True]


def test_what_was_heard_long_ago_is_forgotten(monkeypatch):
    monkeypatch.setattr(message_filter, "MOST_REMEMBERED", 2)
    again = [anomaly("high"), *(anomaly("high", name=n) for n in "23"), anomaly("low")]
    assert shown(Wanted(least=Severity.HIGH), *again)[-1] is False


@given(
    st.lists(
        st.builds(
            episode,
            st.sampled_from(["opened", "updated", "closed", "withdrawn"]),
            st.sampled_from(["low", "medium", "high"]),
            st.sampled_from(["2024-03-10T11:00:00-04:00", "2024-03-10T13:00:00-04:00"]),
        ),
        max_size=8,
    ),
    st.sampled_from(SEVERITIES),
)
def test_once_something_is_shown_all_that_follows_is(lives, least):
    found = shown(Wanted(least=least, since=NOON), *lives)
    assert found == sorted(found)
