"""What the platform defines, by name: lineage, checks, jobs, schedules and sensors."""

EDGES = {
    ("source_readings", "usage"),
    ("samples", "usage"),
    ("usage", "readings"),
    ("usage", "rejects"),
    ("readings", "usage_hourly"),
    ("readings", "usage_cost"),
    ("readings", "usage_findings"),
    ("readings", "slot_forests"),
    ("usage", "anomaly"),
    ("slot_forests", "anomaly"),
    ("anomaly", "anomalies"),
    ("readings", "anomalies"),
    ("rejects", "redriven_rejects"),
    ("readings", "profile_report"),
    ("usage_hourly", "profile_report"),
    ("anomalies", "profile_report"),
    ("slot_forests", "profile_report"),
}
ASSETS = {name for edge in EDGES for name in edge}
CHECKS = {
    ("readings", "no_reading_twice"),
    ("readings", "no_slow_change"),
    ("readings", "sampled_days_equal_kafka"),
    ("readings", "tables_readable_everywhere"),
    ("rejects", "few_rejects"),
    ("usage_hourly", "hours_complete"),
    ("usage_hourly", "hours_equal_recompute"),
    ("usage_cost", "costs_equal_recompute"),
    ("usage_findings", "findings_of_all_meters"),
    ("slot_forests", "model_is_recent"),
    ("anomaly", "no_transaction_hangs"),
    ("anomalies", "alarms_keep_budget"),
    ("anomalies", "people_agree"),
    ("anomalies", "stream_equals_rescoring"),
}
# Training evaluates it; it cannot run alone.
TRAINING_CHECK = ("slot_forests", "model_is_fit")
JOBS = {
    "playback",
    "collecting",
    "micro_batch",
    "retrain",
    "quality",
    "backfill",
    "report",
    "costs",
    "findings",
    "upkeep",
    "weekly_mail",
    "peak_warnings",
}
SCHEDULES = {
    "weekly_retrain",
    "hourly_quality",
    "weekly_full_quality",
    "nightly_upkeep",
    "nightly_costs",
    "nightly_findings",
    "hourly_peak_warnings",
    "monthly_report",
}
SENSORS = {
    "playback_sensor",
    "collector_sensor",
    "sample_stream",
    "group_stream",
    "micro_batch_sensor",
    "model_sensor",
    "anomaly_stream",
    "alerts",
    "weekly_mail_sensor",
    "emr_job_sensor",
}
