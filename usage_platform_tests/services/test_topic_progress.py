"""Progress belongs to a topic: recreated and shortened ones, on real Kafka and Spark."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.checkpoints import Checkpoint, Checkpoints
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.table_creation import create_tables
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY
from usage_platform.adapters.spark.session import SparkFailedError, failing_in_one_line
from usage_platform.console.accept_loss import accepted
from usage_platform.core.readings.messages import usage_messages
from usage_platform.services import ingest
from usage_platform.services.ingest import drain_usage
from usage_platform.services.progress import ingestion_lag
from usage_platform.services.topic_progress import (
    EventsDeletedError,
    accept_deleted,
    compare,
    ingested_offsets,
    start_of_stream,
)
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform
from usage_platform_tests import oracle
from usage_platform_tests.console.test_status import printed
from usage_platform_tests.services.crashing_batch import crashing_at
from usage_platform_tests.services.library_readings import REGISTRY, readings
from usage_platform_tests.spark_batch import write_spark_batch
from usage_platform_tests.topics import delete_until

offsets = st.integers(0, 9)
partitions = st.dictionaries(st.integers(0, 3), st.tuples(offsets, offsets), min_size=1)
done_offsets = st.dictionaries(st.integers(0, 4), offsets)


@given(partitions, done_offsets, done_offsets, st.booleans(), done_offsets)
def test_every_event_still_comes_or_is_named_as_deleted(spans, committed, planned, same, accepted):
    """The rule as a whole: what was not ingested is ahead of the progress, or reported."""
    ends = {p: (low, low + more) for p, (low, more) in spans.items()}
    progress = compare(ends, committed, planned, same, accepted)
    for partition, (low, high) in ends.items():
        done = progress.done.get(partition, 0)
        assert done <= high
        named = any(gap.partition == partition and gap.end == low for gap in progress.deleted)
        given_up = accepted.get(partition, 0) >= low
        if progress.done and done < low:
            assert named or given_up
    if not same:
        assert progress.reason
        assert not progress.done
    # A gap is skipped only where a person gave all of it up.
    if progress.skips:
        assert not progress.deleted
        assert any(
            progress.done.get(p, 0) < low <= accepted.get(p, 0) for p, (low, _) in ends.items()
        )


def names(rows):
    return rows["value"].sort_values().tolist()


@pytest.mark.kafka
def test_a_topic_that_was_created_again_waits_from_its_first_event(
    lake, spark_batch, fresh_topics, put
):
    kafka = fresh_topics()
    put(kafka, [b"old"] * 130)
    assert not start_of_stream(lake, kafka, USAGE).notice
    spark_batch(0, {"0": 130})
    assert ingestion_lag(lake, kafka, USAGE) == 0

    fresh_topics()
    put(kafka, [b"new"] * 230)
    # The old offset is within the new topic: by offsets alone, 130 events would never come.
    assert ingestion_lag(lake, kafka, USAGE) == 230
    assert ingested_offsets(lake, kafka, USAGE) == {}
    start = start_of_stream(lake, kafka, USAGE)
    assert "created again, or is on another cluster" in start.notice
    assert start.checkpoint != lake.checkpoint(USAGE)
    assert start.fail_on_data_loss
    # Stored before the first batch: a run that is killed there begins at the same place.
    assert start_of_stream(lake, kafka, USAGE).checkpoint == start.checkpoint
    assert Checkpoints(lake, USAGE).current() == Checkpoint(topic_id(kafka, USAGE), 2)


@pytest.mark.kafka
def test_a_former_checkpoint_beyond_the_topics_end_is_of_another_topic(
    lake, spark_batch, kafka, put
):
    spark_batch(0, {"0": 130})
    put(kafka, [b"new"] * 30)
    assert ingestion_lag(lake, kafka, USAGE) == 30
    assert "ends before the last ingested offset" in start_of_stream(lake, kafka, USAGE).notice


@pytest.mark.kafka
def test_deleted_events_stop_ingestion_until_a_person_gives_them_up(kafka, put, tmp_path):
    deployment = Platform(Settings.from_env({}, data=tmp_path, kafka_bootstrap=kafka.bootstrap))
    lake = deployment.lake
    put(kafka, [b"event"] * 230)
    start_of_stream(lake, kafka, USAGE)
    write_spark_batch(lake, 0, {"0": 100})
    delete_until(kafka, USAGE, 200)
    with pytest.raises(EventsDeletedError) as raised:
        ingestion_lag(lake, kafka, USAGE)
    line = str(raised.value)
    assert "\n" not in line
    assert "100 offsets of partition 0 (100 to 199)" in line
    assert "'usage-platform accept-loss usage'" in line
    with pytest.raises(EventsDeletedError):
        start_of_stream(lake, kafka, USAGE)
    shown = " ".join(printed(deployment).split())
    assert "usage to the lake stopped" in shown
    assert "accept-loss usage" in shown
    assert "usage to scores" in shown

    assert "100 offsets of partition 0" in accepted(deployment, USAGE)
    assert not start_of_stream(lake, kafka, USAGE).fail_on_data_loss
    assert ingestion_lag(lake, kafka, USAGE) == 30
    assert accept_deleted(lake, kafka, USAGE) == ()
    assert "nothing is changed" in accepted(deployment, USAGE)
    # More that is deleted later is another loss.
    delete_until(kafka, USAGE, 210)
    with pytest.raises(EventsDeletedError, match="110 offsets"):
        start_of_stream(lake, kafka, USAGE)


@pytest.mark.kafka
@pytest.mark.spark
def test_on_spark_nothing_of_a_new_topic_is_passed_over_and_nothing_of_the_old_one_is_lost(
    fresh_topics, put, spark, lake
):
    kafka = fresh_topics()
    create_tables(lake)
    put(kafka, usage_messages(readings(0, 30)))
    assert drain_usage(spark, lake, REGISTRY, kafka, USAGE).notice == ""
    fresh_topics()
    put(kafka, usage_messages(readings(30, 45)))
    put(kafka, [b'{"ts": "2024-03-05T10:00:00Z", "value": 1000}'])
    drained = drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    assert drained.events == 46
    assert "began again at its first event" in drained.notice
    rows = LakeReader(lake).rows(READINGS)
    # The new topic's correction wins over the old topic's reading, by the broker's time.
    assert names(rows) == [*range(1, 75), 1000]
    expected = oracle.hours_of(rows.sort_values("event_time", ignore_index=True), {"library": 5})
    hours = LakeReader(lake).rows(USAGE_HOURLY).sort_values("start", ignore_index=True)
    assert hours["n"].tolist() == expected["n"].tolist()
    assert drain_usage(spark, lake, REGISTRY, kafka, USAGE).events == 0


@pytest.mark.kafka
@pytest.mark.spark
def test_on_spark_ingestion_goes_on_after_the_deleted_events_that_were_given_up(
    kafka, put, spark, lake
):
    create_tables(lake)
    put(kafka, usage_messages(readings(0, 20)))
    drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    put(kafka, usage_messages(readings(20, 40)))
    delete_until(kafka, USAGE, 50)
    with pytest.raises(EventsDeletedError, match="30 offsets"):
        drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    accept_deleted(lake, kafka, USAGE)
    assert drain_usage(spark, lake, REGISTRY, kafka, USAGE).events == 10
    assert names(LakeReader(lake).rows(READINGS)) == [*range(20), *range(50, 60)]
    assert start_of_stream(lake, kafka, USAGE).fail_on_data_loss


@pytest.mark.kafka
@pytest.mark.spark
def test_on_spark_events_of_batches_that_it_has_forgotten_count_too(
    kafka, put, spark, lake, monkeypatch
):
    create_tables(lake)
    put(kafka, usage_messages(readings(0, 30)))
    monkeypatch.setattr(ingest, "MAX_OFFSETS_PER_BATCH", 10)
    # Spark keeps one report fewer.
    spark.conf.set("spark.sql.streaming.numRecentProgressUpdates", "2")
    try:
        drained = drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    finally:
        spark.conf.unset("spark.sql.streaming.numRecentProgressUpdates")
    assert (drained.events, drained.batches, drained.offsets) == (30, 3, {"0": 30})


@pytest.mark.kafka
@pytest.mark.spark
def test_on_spark_an_error_inside_a_batch_is_its_own_one_line(kafka, put, spark, lake, monkeypatch):
    create_tables(lake)
    put(kafka, usage_messages(readings(0, 3)))
    monkeypatch.setattr(ingest, "write_usage_batch", crashing_at("after the readings"))
    put(kafka, [b"a reject"])
    with pytest.raises(SparkFailedError) as raised, failing_in_one_line():
        drain_usage(spark, lake, REGISTRY, kafka, USAGE)
    line = str(raised.value)
    assert line.startswith("Spark: RuntimeError: crashed after the readings; ")
    assert "session" not in line
    assert "\n" not in line
