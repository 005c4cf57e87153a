"""What a run of an asset says when it cannot do its work: one line, and what to do."""

import dagster as dg
import pytest

from usage_platform.adapters.kafka import topics as kafka_topics
from usage_platform.defs import anomaly_assets
from usage_platform.defs.anomaly_assets import anomaly
from usage_platform.defs.metadata import lag_metadata
from usage_platform.defs.resources import PlatformResource
from usage_platform.defs.source_assets import source_readings, usage
from usage_platform_tests.defs.conftest import Platform


@pytest.fixture
def materialize(tmp_path, monkeypatch):
    """Materialize one asset on a fresh data folder with these settings."""

    def run(asset, config=None, **settings):
        monkeypatch.setenv("USAGE_DATA", str(tmp_path))
        for name, value in settings.items():
            monkeypatch.setenv(f"USAGE_{name.upper()}", value)
        return dg.materialize(
            [asset],
            resources={"platform": PlatformResource()},
            run_config={"ops": {asset.op.name: {"config": config}}} if config else None,
        )

    return run


def test_a_source_that_is_not_there_is_one_line(materialize, tmp_path):
    with pytest.raises(dg.Failure) as caught:
        materialize(source_readings, source=str(tmp_path / "none.csv"))
    assert "none.csv" in caught.value.description
    assert "\n" not in caught.value.description
    assert not caught.value.allow_retries


def test_rows_that_cannot_be_read_are_told_and_the_rest_goes_on(materialize, tmp_path):
    lines = ["t,v", "2024-03-05 13:00:00,1.5", "2024-03-05 13:05:00,x", "2024-03-05 13:10:00,2.5"]
    (tmp_path / "own.csv").write_text("\n".join(lines))
    result = materialize(
        source_readings,
        source=str(tmp_path / "own.csv"),
        csv_time_column="t",
        csv_value_column="v",
        csv_unit="kW",
        csv_allow_bad_rows="true",
    )
    (event,) = result.asset_materializations_for_node("source_readings")
    loaded = {key: value.value for key, value in event.metadata.items()}
    assert (loaded["dagster/row_count"], loaded["bad_rows"]) == (2, 1)
    assert "own.csv:3: v: 'x'" in loaded["bad_rows_shown"]


def test_playing_with_no_broker_is_one_line_that_says_what_to_do(
    materialize, unused_port, monkeypatch
):
    monkeypatch.setattr(kafka_topics, "ANSWER_SECONDS", 1.0)
    address = f"127.0.0.1:{unused_port()}"
    with pytest.raises(dg.Failure) as caught:
        materialize(usage, kafka_bootstrap=address)
    assert caught.value.description.startswith(f"Kafka at {address} does not answer")


def test_days_are_mended_without_a_broker_and_their_lag_is_not_known(
    tmp_path, unused_port, monkeypatch
):
    monkeypatch.setattr(kafka_topics, "ANSWER_SECONDS", 1.0)
    address = f"127.0.0.1:{unused_port()}"
    deployment = Platform(tmp_path, kafka_bootstrap=address).deployment
    lag = lag_metadata(anomaly_assets._lag_into_lake(deployment))
    assert lag == {"lag_events": "-", "lag_event_minutes": "-"}


@pytest.mark.kafka
def test_playing_before_a_source_was_loaded_is_one_line_that_says_what_to_do(materialize, kafka):
    with pytest.raises(dg.Failure) as caught:
        materialize(usage, kafka_bootstrap=kafka.bootstrap)
    assert caught.value.description == (
        "no source was loaded yet: materialize source_readings first"
    )


def test_scoring_before_there_is_a_model_is_one_line(materialize):
    with pytest.raises(dg.Failure) as caught:
        materialize(anomaly)
    assert caught.value.description == "no model yet: materialize slot_forests first"


def test_a_setting_that_cannot_be_used_fails_the_run_in_one_line(materialize):
    with pytest.raises(dg.Failure) as caught:
        materialize(source_readings, generated_days="0")
    assert caught.value.description.startswith("USAGE_GENERATED_DAYS=0: ")
