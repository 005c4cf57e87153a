"""When a demo has come to its end."""

from dataclasses import replace

import pytest

from usage_platform.console.demo import Flow

DONE = Flow(
    source=10,
    on_topic=10,
    ingestion_lag=0,
    has_model=True,
    models_due=0,
    scoring_lag=0,
    anomaly_lag=0,
)


def test_it_is_finished_when_all_of_it_has_flowed_whatever_else_is_on_the_topic():
    assert DONE.finished
    assert replace(DONE, on_topic=12).finished


@pytest.mark.parametrize(
    ("lacks", "said"),
    [
        ({"source": None}, "loading the source"),
        ({"on_topic": 9}, "played 9 of 10"),
        ({"ingestion_lag": 3}, "ingested 7"),
        ({"has_model": False}, "no model yet"),
        ({"models_due": 2}, "2 models to train"),
        ({"scoring_lag": 4}, "scored 6"),
        ({"anomaly_lag": 5}, "anomalies to ingest: 5"),
    ],
)
def test_it_is_not_finished_while_anything_is_left_and_says_what(lacks, said):
    flow = replace(DONE, **lacks)
    assert not flow.finished
    assert said in str(flow)
