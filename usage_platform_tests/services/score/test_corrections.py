"""Corrected readings: what is told of them, and what is withdrawn."""

import json

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.kafka.topics import EPISODE
from usage_platform.core.anomalies.anomaly import PUBLISHED, WITHDRAWN
from usage_platform.core.detector.baseline.slot_forests import CUT
from usage_platform.core.readings.messages import usage_messages
from usage_platform_tests.services.score.hourly_meter import METER, standing, tick, told

pytestmark = pytest.mark.kafka


def single(expected):
    """An anomaly that is an episode by itself."""
    rows = expected.anomalies
    alone = rows[rows.groupby("episode")["meter"].transform("size") == 1]
    return alone.iloc[len(alone) // 2]


def ordinary_value(timeline, at):
    """A value that is nothing odd at that time."""
    forests = timeline.load(timeline.manifests[0].version).detectors[METER.name]
    values = np.linspace(100, 900, 801)
    scores = forests.score(pd.Series([at] * len(values)), values)["score"].to_numpy()
    return float(values[scores <= CUT][0])


def test_a_corrected_reading_is_told_under_the_same_id_and_withdrawn_when_it_is_odd_no_more(
    kafka, put, read_all, make_scorer, timeline, live, expected
):
    put(kafka, usage_messages(live), key=b"a")
    scorer = make_scorer(kafka)
    tick(scorer, timeline)
    row = single(expected)
    corrected = pd.DataFrame({"meter": ["a"], "ts": [row["event_time"]], "value": [9_999.0]})
    put(kafka, usage_messages(corrected), key=b"a")
    result = tick(scorer, timeline)
    assert (result.events, result.anomalies, result.withdrawn) == (1, 1, 0)
    changed = told(kafka, read_all).iloc[-1]
    assert (changed["anomaly_id"], changed["status"]) == (row["anomaly_id"], PUBLISHED)
    assert (changed["usage"], changed["episode"]) == (9_999.0, row["episode"])

    value = ordinary_value(timeline, row["event_time"])
    put(kafka, usage_messages(corrected.assign(value=value)), key=b"a")
    # Another scorer knows just as well what was told.
    result = tick(make_scorer(kafka), timeline)
    assert (result.events, result.anomalies, result.withdrawn, result.episodes) == (1, 0, 1, 1)
    gone = told(kafka, read_all).iloc[-1]
    assert (gone["anomaly_id"], gone["status"]) == (row["anomaly_id"], WITHDRAWN)
    episode = json.loads(read_all(kafka, EPISODE)[-1].value())
    assert (episode["episode"], episode["status"]) == (row["episode"], "withdrawn")
    others = expected.anomalies[expected.anomalies["anomaly_id"] != row["anomaly_id"]]
    pd.testing.assert_frame_equal(standing(kafka, read_all), others.reset_index(drop=True))
