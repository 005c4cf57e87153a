"""The guards that keep rows of the tables right, how each is taken away, and who notices.

Belongs here: guards in what writes a batch or recomputes hours. Not here: those of streams, turns
and alerts (`process_guards`), the table for readers (docs/guards.md).
"""

from usage_platform_tests.tools.guards.guard import Guard

_BATCH = "usage_platform/core/readings/validation.py"
_WIRE = "usage_platform/core/readings/event_times.py"
_ANOMALY_TABLE = "usage_platform/adapters/lake/anomaly_table.py"
_REJECTS = "usage_platform/adapters/lake/rejects_table.py"
_ROW_WRITER = "usage_platform/adapters/lake/row_writer.py"
_USAGE_EVENTS = "usage_platform/adapters/lake/usage_events.py"
_HOURLY = "usage_platform/adapters/spark/hourly_sql.py"
_HOURS = "usage_platform/core/readings/hourly.py"
_BACKFILL = "usage_platform/services/backfill.py"
_EXECUTORS = "usage_platform/adapters/spark/executor_batch.py"
_MERGED = "usage_platform/adapters/spark/merged_frame.py"
_ON_EXECUTORS = "usage_platform_tests/services/test_ingest_on_executors.py::"
_IN_BATCHES = "usage_platform_tests/adapters/lake/test_usage_events.py::"
_IN_BACKFILLS = "usage_platform_tests/adapters/spark/test_hourly_sql.py::"
_IN_ANOMALIES = "usage_platform_tests/adapters/spark/test_anomaly_table.py::"
_IN_NAIVE = "usage_platform_tests/services/test_naive_ways.py::"
_IN_GAMES = "usage_platform_tests/services/test_state_machine.py::"
_ANY_ORDER = f"{_IN_BACKFILLS}test_no_order_split_repetition_or_backfill_changes_the_tables"
_OWN_DAYS = f"{_IN_BATCHES}test_a_batch_opens_no_file_of_days_long_past"
_SCRIPT = f"{_IN_GAMES}test_a_script_of_every_operation_leaves_the_oracles_tables"

TABLE_GUARDS = (
    Guard(
        "a batch holds one event a reading",
        _BATCH,
        'ordered.drop_duplicates(["meter", "event_time"], keep="last")',
        "ordered",
        f"{_IN_BATCHES}test_one_batch_makes_the_tables_that_the_readings_say",
    ),
    Guard(
        "the newer event wins",
        _USAGE_EVENTS,
        "({new('kafka_time')} > {old('kafka_time')} OR",
        "(true OR",
        _ANY_ORDER,
    ),
    Guard(
        "of events of one millisecond and offset the higher partition wins",
        _USAGE_EVENTS,
        "{new('partition')} > {old('partition')}",
        "false",
        _ANY_ORDER,
    ),
    Guard(
        "an equal value moves the winner's place on",
        _USAGE_EVENTS,
        "({new('kafka_time')} > {old('kafka_time')} OR",
        "{new('value')} <> {old('value')} AND ({new('kafka_time')} > {old('kafka_time')} OR",
        _ANY_ORDER,
    ),
    Guard(
        "a reject is written once",
        _ROW_WRITER,
        'of_new = f"SELECT {names} FROM compared WHERE is_new AND {day}"',
        'of_new = f"SELECT {names} FROM compared WHERE {day}"',
        f"{_IN_BATCHES}test_a_batch_that_comes_again_changes_no_row",
    ),
    Guard(
        "the broker's time is part of a reject's key",
        _REJECTS,
        "MergeRule(EVENT_PLACE,",
        "MergeRule(EVENT_PLACE[:3],",
        f"{_IN_BATCHES}test_rejects_of_a_topic_that_was_made_anew_stand_beside_those_of_the_old_one",
    ),
    Guard(
        "the hours come from the batch, not from the rows inserted",
        _USAGE_EVENTS,
        "    _write_readings(lake, registry, readings, before)\n",
        '    known = LakeReader(lake).rows(READINGS, ["meter", "event_time"])\n'
        "    _write_readings(lake, registry, readings, before)\n"
        '    readings = readings.merge(known, how="left", indicator="seen")\n'
        "    readings = readings.query(\"seen == 'left_only'\")\n"
        "    if readings.empty:\n"
        "        return\n",
        f"{_IN_BATCHES}test_a_crash_between_readings_and_hours_is_mended_by_the_batch_run_again",
    ),
    Guard(
        "a batch closes the hours that were open before it",
        _USAGE_EVENTS,
        "pd.concat([touched_hours(readings, registry), hours_to_close(before, registry)])",
        "touched_hours(readings, registry)",
        f"{_IN_BATCHES}test_an_hour_is_final_an_hour_after_its_end_and_what_comes_then_is_late",
    ),
    Guard(
        "what was open before is asked of the hours, not of the readings",
        _USAGE_EVENTS,
        "before = _newest_of(written, newest)",
        'before = LakeReader(lake).rows(READINGS, ["meter", "event_time"], '
        'meters=[*newest.index]).groupby("meter")["event_time"].max()',
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
        _USAGE_EVENTS,
        "if not is_any_there(LakeReader(lake), readings):",
        "if True:",
        f"{_IN_BATCHES}test_a_batch_that_comes_again_changes_no_row",
    ),
    Guard(
        "a merge reads the files of its days only",
        _ROW_WRITER,
        "dataset(delta, between(table, first, last))",
        "dataset(delta, [])",
        _OWN_DAYS,
    ),
    Guard(
        "a task of executors holds one event a reading",
        _EXECUTORS,
        "newest_per_reading(found)",
        "found",
        f"{_ON_EXECUTORS}test_the_tables_are_what_the_events_say",
    ),
    Guard(
        "executors leave a table alone where nothing differs",
        _MERGED,
        'if row["added"] or row["changed"]',
        "if row",
        f"{_ON_EXECUTORS}test_a_batch_that_comes_again_makes_no_commit",
    ),
    Guard(
        "an event of the future is a reject",
        _WIRE,
        "(instants > latest).to_numpy()",
        "(instants > instants).to_numpy()",
        f"{_IN_NAIVE}test_an_event_dated_2099_stops_nothing_and_is_a_reject",
    ),
    Guard(
        "of what is said of an anomaly the newest counts",
        _ANOMALY_TABLE,
        """f"({old('changed_at')} IS NULL OR {new('changed_at')} > {old('changed_at')})\"""",
        '"true"',
        f"{_IN_ANOMALIES}test_a_topic_that_is_read_again_does_not_undo_what_a_backfill_found",
    ),
)
