"""The guards that keep the tables and the topics right, how each is taken away, and who notices.

Belongs here: the list. Not here: the run over it (`__main__`), its table for readers
(docs/guards.md).
"""

from dataclasses import dataclass

_BATCH = "usage_platform/core/readings/validation.py"
_WIRE = "usage_platform/core/readings/event_times.py"
_ANOMALY_TABLE = "usage_platform/adapters/spark/anomaly_table.py"
_REJECTS = "usage_platform/adapters/spark/rejects_table.py"
_MICRO_BATCH = "usage_platform/adapters/spark/usage_batch.py"
_HOURLY = "usage_platform/adapters/spark/hourly_sql.py"
_HOURS = "usage_platform/core/readings/hourly.py"
_TURN = "usage_platform/adapters/lake/write_turn.py"
_BACKFILL = "usage_platform/services/backfill.py"
_STREAMS = "usage_platform/services/ingest.py"
_PROGRESS = "usage_platform/services/topic_progress.py"
_SCORING = "usage_platform/services/score.py"
_ALERTS = "usage_platform/services/deliver_alerts.py"
_LAKE_WRITER = "usage_platform/services/lake_writer.py"
_LEASE = "usage_platform/adapters/lake/lease.py"
_STACK = "usage_platform/local/stack.py"
_PLAYBACK = "usage_platform/defs/source_assets.py"

_IN_BATCHES = "usage_platform_tests/adapters/spark/test_usage_batch.py::"
_IN_TURNS = "usage_platform_tests/adapters/lake/test_write_turn.py::"
_IN_STREAMS = "usage_platform_tests/services/test_ingest.py::"
_IN_PROGRESS = "usage_platform_tests/services/test_topic_progress.py::"
_IN_ANOMALIES = "usage_platform_tests/adapters/spark/test_anomaly_table.py::"
_IN_NAIVE = "usage_platform_tests/services/test_naive_ways.py::"
_IN_GAMES = "usage_platform_tests/services/test_state_machine.py::"
_IN_BACKFILL = "usage_platform_tests/defs/test_backfill_beside_live.py::"

_ANY_ORDER = f"{_IN_BATCHES}test_no_order_split_repetition_or_backfill_changes_the_tables"
_OWN_DAYS = f"{_IN_BATCHES}test_a_batch_opens_no_file_of_days_long_past"
_SCRIPT = f"{_IN_GAMES}test_a_script_of_every_operation_leaves_the_oracles_tables"
_KILLED_SCORER = (
    "usage_platform_tests/tools/faults/test_cuts_of_streams.py::"
    "test_what_is_killed_or_stopped_here_leaves_nothing_lost_doubled_or_wrong"
    "[scorer: after send-offsets, before commit (SIGKILL)]"
)
_KILLED_ALERT = (
    "usage_platform_tests/services/test_deliver_alerts.py::"
    "test_a_kill_before_the_offset_is_committed_sends_again_only_what_was_not_recorded"
    "[after the record-1]"
)


@dataclass(frozen=True)
class Guard:
    """One guard.

    Attributes:
        name: What it does.
        file: Where it stands.
        text: Source that occurs once in the file.
        instead: What the file says without the guard.
        test: The test that must fail then, as pytest names it.
    """

    name: str
    file: str
    text: str
    instead: str
    test: str


GUARDS = (
    Guard(
        "a batch holds one event a reading",
        _BATCH,
        'ordered.drop_duplicates(["meter", "event_time"], keep="last")',
        "ordered",
        f"{_IN_BATCHES}test_one_batch_makes_the_tables_that_the_readings_say",
    ),
    Guard(
        "the newer event wins",
        _MICRO_BATCH,
        "WHEN MATCHED AND (s.kafka_time > t.kafka_time",
        "WHEN MATCHED AND (true",
        _ANY_ORDER,
    ),
    Guard(
        "of events of one millisecond and offset the higher partition wins",
        _MICRO_BATCH,
        "AND s.partition > t.partition",
        "AND false",
        _ANY_ORDER,
    ),
    Guard(
        "an equal value moves the winner's place on",
        _MICRO_BATCH,
        "WHEN MATCHED AND (s.kafka_time > t.kafka_time",
        "WHEN MATCHED AND s.value <> t.value AND (s.kafka_time > t.kafka_time",
        _ANY_ORDER,
    ),
    Guard(
        "a reject is written once",
        _REJECTS,
        "ON t.topic = s.topic AND t.partition = s.partition AND t.offset = s.offset",
        "ON t.topic <> s.topic",
        f"{_IN_BATCHES}test_a_batch_that_comes_again_changes_no_row",
    ),
    Guard(
        "the broker's time is part of a reject's key",
        _REJECTS,
        "AND t.kafka_time = s.kafka_time AND t.received_date",
        "AND t.received_date",
        f"{_IN_BATCHES}test_rejects_of_a_topic_that_was_made_anew_stand_beside_those_of_the_old_one",
    ),
    Guard(
        "the hours come from the batch, not from the rows inserted",
        _MICRO_BATCH,
        "    _write_readings(spark, lake, readings, before)\n",
        '    known = LakeReader(lake).rows(READINGS, ["meter", "event_time"])\n'
        "    _write_readings(spark, lake, readings, before)\n"
        '    readings = readings.merge(known, how="left", indicator="seen")\n'
        "    readings = readings.query(\"seen == 'left_only'\")\n"
        "    if readings.empty:\n"
        "        return\n",
        f"{_IN_BATCHES}test_a_crash_between_readings_and_hours_is_mended_by_the_batch_run_again",
    ),
    Guard(
        "a batch closes the hours that were open before it",
        _MICRO_BATCH,
        "pd.concat([touched_hours(readings, registry), hours_to_close(before, registry)])",
        "touched_hours(readings, registry)",
        f"{_IN_BATCHES}test_an_hour_is_final_an_hour_after_its_end_and_what_comes_then_is_late",
    ),
    Guard(
        "what was open before is asked of the hours, not of the readings",
        _MICRO_BATCH,
        'reader.rows(USAGE_HOURLY, ["meter", "last_reading"], first=since)',
        'reader.rows(READINGS, ["meter", "event_time"], first=since)'
        '.rename(columns={"event_time": "last_reading"})',
        _SCRIPT,
    ),
    Guard(
        "a backfill closes the hours that its readings close",
        _BACKFILL,
        "pd.concat([touched, hours_to_close(before, registry)])",
        "touched",
        _SCRIPT,
    ),
    Guard(
        "a batch adds whole milliwatts",
        _HOURS,
        '"milliwatts": np.rint(readings["value"] * 1e6).astype("int64")',
        '"milliwatts": readings["value"] * 1e6',
        f"{_IN_BATCHES}test_one_batch_makes_the_tables_that_the_readings_say",
    ),
    Guard(
        "a backfill adds whole milliwatts",
        _HOURLY,
        "sum(CAST(rint(r.value * 1000000D) AS BIGINT)) / 1000000D AS total_kw",
        "sum(r.value) AS total_kw",
        _ANY_ORDER,
    ),
    Guard(
        "readings are appended only where none of them is there",
        _MICRO_BATCH,
        "if is_any_there(LakeReader(lake), readings):",
        "if False:",
        f"{_IN_BATCHES}test_a_batch_that_comes_again_changes_no_row",
    ),
    Guard(
        "a batch writes in its own turn only",
        _TURN,
        "if current_turn(self.lake) != self.number:",
        "if False:",
        f"{_IN_TURNS}test_a_batch_of_a_turn_that_is_over_writes_nothing",
    ),
    Guard(
        "a turn waits for the last batch of the turn before",
        _LAKE_WRITER,
        "with batch_lock(self._batch_file):",
        "if turn:",
        "usage_platform_tests/services/test_lake_writer.py::"
        "test_a_turn_begins_when_the_last_batch_of_the_turn_before_has_ended",
    ),
    Guard(
        "the merge of readings names its dates",
        _MICRO_BATCH,
        "AND t.event_date IN ({date_list(dates)})",
        "",
        _OWN_DAYS,
    ),
    Guard(
        "the merge of rejects names its dates",
        _REJECTS,
        " AND t.received_date IN ({days})",
        "",
        _OWN_DAYS,
    ),
    Guard(
        "the merge of hours names its dates",
        _HOURLY,
        " AND t.event_date IN ({dates})",
        "",
        _OWN_DAYS,
    ),
    Guard(
        "an event of the future is a reject",
        _WIRE,
        "(at > latest.iloc[places]).to_numpy()",
        "(at > at).to_numpy()",
        f"{_IN_NAIVE}test_an_event_dated_2099_stops_nothing_and_is_a_reject",
    ),
    Guard(
        "no watermark drops an event",
        _STREAMS,
        '.withWatermark("event_time", WATERMARK)',
        '.withWatermark("event_time", WATERMARK)'
        '.dropDuplicates(["partition", "offset", "event_time"])',
        f"{_IN_NAIVE}test_an_event_older_than_the_watermark_still_counts",
    ),
    Guard(
        "a stream without a checkpoint begins at the topic's first event",
        _STREAMS,
        '"startingOffsets", "earliest"',
        '"startingOffsets", "latest"',
        f"{_IN_STREAMS}test_every_event_is_a_reading_or_a_reject_and_the_stream_goes_on",
    ),
    Guard(
        "events that the topic lost are an error",
        _PROGRESS,
        '    progress.check_complete(topic)\n    notice = ""\n',
        '    notice = ""\n',
        f"{_IN_PROGRESS}test_deleted_events_stop_ingestion_until_a_person_gives_them_up",
    ),
    Guard(
        "a topic that was created again is a new topic",
        _PROGRESS,
        "    if not same_topic:\n",
        "    if False:\n",
        f"{_IN_PROGRESS}test_a_topic_that_was_created_again_waits_from_its_first_event",
    ),
    Guard(
        "events of an aborted transaction are not read",
        _STREAMS,
        '"kafka.isolation.level", "read_committed"',
        '"kafka.isolation.level", "read_uncommitted"',
        f"{_IN_ANOMALIES}test_anomalies_come_into_the_lake_once_and_aborted_ones_never",
    ),
    Guard(
        "of what is said of an anomaly the newest counts",
        _ANOMALY_TABLE,
        "(t.changed_at IS NULL OR s.changed_at > t.changed_at)",
        "true",
        f"{_IN_ANOMALIES}test_a_topic_that_is_read_again_does_not_undo_what_a_backfill_found",
    ),
    Guard(
        "the scorer's offsets are part of its transaction",
        _SCORING,
        "        within(\n"
        "            _CALL_SECONDS,\n"
        "            lambda: producer.send_offsets_to_transaction"
        "(positions, group, _CALL_SECONDS),\n"
        "        )\n",
        "        self._consumer.commit(offsets=positions, asynchronous=False)\n",
        _KILLED_SCORER,
    ),
    Guard(
        "one process at a time writes to the lake",
        _LAKE_WRITER,
        "fcntl.flock(lock, fcntl.LOCK_EX)",
        "pass",
        f"{_IN_BACKFILL}test_a_backfill_and_a_batch_of_the_same_hour_write_one_after_the_other",
    ),
    Guard(
        "a platform takes the lease on its lake before it starts a service",
        _STACK,
        "self._kept.__enter__()",
        "pass",
        "usage_platform_tests/console/test_cli.py::"
        "test_a_second_platform_on_one_lake_is_refused_before_a_service_starts",
    ),
    Guard(
        "a playback takes the lease on the topic",
        _PLAYBACK,
        "with PlaybackLease(kafka, str(holder_of(deployment.settings.data_dir))) as lease:",
        "for lease in [PlaybackLease(kafka, str(holder_of(deployment.settings.data_dir)))]:",
        "usage_platform_tests/defs/test_one_playback.py::"
        "test_the_asset_is_refused_and_plays_nothing_while_another_playback_has_the_lease",
    ),
    Guard(
        "a job that the lease was lent to never takes it anew",
        _LEASE,
        "            elif self._borrowed:\n",
        "            elif False:\n",
        "usage_platform_tests/adapters/lake/test_lease.py::"
        "test_a_job_that_begins_too_late_does_nothing_whoever_has_had_it_meanwhile[folder]",
    ),
    Guard(
        "an alert that was sent is recorded before its offset is committed",
        _ALERTS,
        "        self._failing = None\n        self._write()\n",
        "        self._failing = None\n",
        _KILLED_ALERT,
    ),
    Guard(
        "what comes before an alert is committed before it is sent",
        _ALERTS,
        "                    progress.commit()\n                    done = self._try",
        "                    done = self._try",
        _KILLED_ALERT,
    ),
)
