"""The guards that keep processes apart and their progress right, how each is taken away, and who
notices.

Belongs here: guards of streams, of the scorer, of alerts, and of who may write. Not here: those of
a table's rows (`table_guards`), the table for readers (docs/guards.md).
"""

from usage_platform_tests.tools.guards.guard import Guard

_TURN = "usage_platform/adapters/lake/write_turn.py"
_STREAMS = "usage_platform/services/ingest.py"
_PROGRESS = "usage_platform/services/topic_progress.py"
_SCORING = "usage_platform/services/score_transaction.py"
_DIVISION = "usage_platform/services/score_division.py"
_ALERTS = "usage_platform/services/deliver_alerts.py"
_LAKE_WRITER = "usage_platform/services/lake_writer.py"
_LEASE = "usage_platform/adapters/lake/lease.py"
_STACK = "usage_platform/local/stack.py"
_PLAYBACK = "usage_platform/defs/source_assets.py"
_IN_TURNS = "usage_platform_tests/adapters/lake/test_write_turn.py::"
_IN_STREAMS = "usage_platform_tests/services/test_ingest.py::"
_IN_PROGRESS = "usage_platform_tests/services/test_topic_progress.py::"
_IN_ANOMALIES = "usage_platform_tests/adapters/spark/test_anomaly_table.py::"
_IN_DIVISIONS = "usage_platform_tests/services/score/test_division.py::"
_IN_NAIVE = "usage_platform_tests/services/test_naive_ways.py::"
_IN_BACKFILL = "usage_platform_tests/defs/test_backfill_beside_live.py::"
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

_ROUTED = "usage_platform_tests/services/test_routed_alerts.py::"

PROCESS_GUARDS = (
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
        "nothing on a topic that was created again counts as played",
        "usage_platform/services/playback_progress.py",
        "Played({}, _OTHER_TOPIC) if is_other_topic else",
        "Played({}, _OTHER_TOPIC) if False else",
        "usage_platform_tests/services/test_playback_progress.py::"
        "test_what_a_run_of_the_topic_before_played_on_leaves_nothing_out",
    ),
    Guard(
        "a stage that starts reads the offsets as of now",
        "usage_platform/services/offset_marks.py",
        '"isolation.level": "read_uncommitted"',
        '"isolation.level": "read_committed"',
        "usage_platform_tests/services/score/test_two_scorers.py::"
        "test_a_scorer_takes_over_at_once_from_one_that_was_killed_before_its_commit",
    ),
    Guard(
        "events of an aborted transaction are not read",
        _STREAMS,
        '"kafka.isolation.level", "read_committed"',
        '"kafka.isolation.level", "read_uncommitted"',
        f"{_IN_ANOMALIES}test_anomalies_come_into_the_lake_once_and_aborted_ones_never",
    ),
    Guard(
        "the scorer's offsets are part of its transaction",
        _SCORING,
        "            within(\n"
        "                ANSWER_SECONDS,\n"
        "                lambda: producer.send_offsets_to_transaction"
        "([*positions], group, ANSWER_SECONDS),\n"
        "            )\n",
        "            client.commit(offsets=[*positions], asynchronous=False)\n",
        _KILLED_SCORER,
    ),
    Guard(
        "a scorer that joins a division looks whether that one holds",
        _DIVISION,
        "        if former.name != share.division.name:\n",
        "        if False:\n",
        f"{_IN_DIVISIONS}"
        "test_a_scorer_that_joins_a_former_division_late_ends_and_the_present_one_goes_on",
    ),
    Guard(
        "a division takes over the ids of all scorers before it",
        _DIVISION,
        "    for number in range(1, new.highest):\n",
        "    for number in range(0):\n",
        f"{_IN_DIVISIONS}"
        "test_a_division_that_is_killed_while_it_begins_leaves_none_that_could_score_beside_the_next",
    ),
    Guard(
        "a meter has one scorer",
        "usage_platform/services/score.py",
        "            self._own_meters.take(batch.readings)\n",
        "            pass\n",
        f"{_IN_DIVISIONS}"
        "test_a_meter_in_the_partitions_of_two_scorers_is_refused_and_then_scored_by_one",
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
        "a job that the lease was lent to never takes it again",
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
    Guard(
        "what routes hold is recorded before its offset is committed",
        "usage_platform/services/route_alerts.py",
        "            if state.is_changed:\n                state.write()\n",
        "            state.is_changed = False\n",
        f"{_ROUTED}test_a_kill_at_each_step_of_a_turn_loses_nothing[16]",
    ),
    Guard(
        "who gets an alert is recorded before it is queued",
        "usage_platform/services/route_decisions.py",
        "elif message.key in before:",
        "elif False:",
        f"{_ROUTED}"
        "test_a_message_that_is_routed_again_goes_where_it_went_whatever_the_time_is_by_then",
    ),
    Guard(
        "a target leaves out the messages that its record has",
        "usage_platform/services/target_state.py",
        "if offset < offsets.get(partition, 0):",
        "if False:",
        f"{_ROUTED}test_messages_that_are_routed_again_bring_no_withdrawn_episode_back",
    ),
)
