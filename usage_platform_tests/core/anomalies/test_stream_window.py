"""A scorer that holds a window of the past says what one that holds all of it says."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from usage_platform.core.anomalies import stream as stream_module
from usage_platform.core.anomalies.anomaly import find_anomalies
from usage_platform_tests.core.anomalies.streamed import (
    REGISTRY,
    START,
    Stream,
    assert_same,
    batches_of,
    on_day,
)
from usage_platform_tests.core.detector.made_models import cut_forests, hourly, model, timeline_of
from usage_platform_tests.core.detector.series import HOURLY

LOOK_BACK, RETENTION = pd.Timedelta(days=5), pd.Timedelta(days=2)
DAYS = 45
HOURS = 24 * DAYS
TIMELINE = timeline_of(model("v", START, {"m": cut_forests(HOURLY)}))


@pytest.fixture(autouse=True)
def short_window(monkeypatch):
    """The forests of these tests look at a reading's own slot alone, and need no past."""
    monkeypatch.setattr(stream_module, "LOOK_BACK", LOOK_BACK)
    monkeypatch.setattr(stream_module, "RETENTION", RETENTION)


def series_of(rng):
    """Odd readings here and there, long episodes, and gaps."""
    kw = np.where(rng.random(HOURS) < 0.01, 500.0, 150.0)
    for start, hours in zip(rng.integers(0, HOURS, 3), (24 * 14, 30, 10), strict=True):
        kw[start : start + rng.integers(2, hours)] = 500.0
    kept = np.ones(HOURS, dtype=bool)
    for start in rng.integers(1, HOURS - 24, 3):
        kept[start : start + rng.integers(3, 24 * 10)] = False
    kept[[0, -1]] = True
    return hourly(START, kw.tolist())[kept]


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 10_000))
def test_late_readings_of_any_age_and_restarts_lead_to_what_all_at_once_finds(seed):
    rng = np.random.default_rng(seed)
    rows = series_of(rng)
    whole = find_anomalies(rows, TIMELINE, REGISTRY).anomalies
    at_once = Stream(TIMELINE)
    at_once.take(rows)
    is_late = rng.random(len(rows)) < 0.005
    is_late[0] = False
    in_order, late = rows[~is_late], rows[is_late].sample(frac=1, random_state=seed)
    cuts = rng.integers(1, len(in_order), 12).tolist()
    batches = batches_of(in_order, sorted({1, *cuts}))
    for row in range(len(late)):
        batches.insert(int(rng.integers(len(batches) // 2, len(batches) + 1)), late[row : row + 1])
    stream = Stream(TIMELINE)
    for batch in batches:
        if rng.random() < 0.1 and stream.consumed:
            stream = stream.rebuilt()
        stream.take(batch)
    assert_same(stream.heard(), whole)
    assert stream.last_states() == at_once.last_states()
    stream.assert_ids_are_unique()
    assert_no_state_is_repeated(stream)


def assert_no_state_is_repeated(stream):
    """A state is published again only after another one of its episode, as the present one."""
    last: dict[tuple[str, str], str] = {}
    for event in stream.events:
        key = event.meter, event.episode
        assert last.get(key) != event.state_id
        last[key] = event.state_id


def test_what_is_held_of_the_past_is_bounded():
    stream = Stream(TIMELINE)
    held = []
    for day in range(DAYS):
        stream.take(hourly(on_day(day), [150] * 20 + [500] + [150] * 3))
        memory = stream.memory
        held.append(
            (len(memory.published._by_meter["m"]), len(memory.published_episodes._by_meter["m"]))
        )
    most = (LOOK_BACK + 2 * RETENTION).days + 1
    assert max(held) <= (most, most)
    assert len(stream.heard()) == DAYS


def test_an_open_episode_is_kept_whatever_its_age_and_closed_after_a_restart():
    stream = Stream(TIMELINE)
    stream.take(hourly(START, [150, 500, 500]))
    stream.take(hourly(on_day(20), [150] * 3).assign(meter="n"))
    again = stream.rebuilt()
    assert len(again.memory.history.of("m").instants) == 0
    (closed, *_) = [
        event
        for event in again.take(hourly(on_day(21), [150])).episodes
        if event.episode == stream.events[0].episode
    ]
    assert closed.status.value == "closed"


def test_episodes_that_ended_before_the_window_are_not_restored():
    stream = Stream(TIMELINE)
    stream.take(hourly(START, [150, 500, 150, 150]))
    stream.take(hourly(on_day(20), [150, 150]).assign(meter="n"))
    memory = stream.rebuilt().memory
    assert stream.events
    assert not memory.published_episodes._by_meter
    assert not memory.published._by_meter
