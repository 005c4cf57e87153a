"""How old the newest materialization of each live asset may become before Dagster warns and fails.

Belongs here: the windows and why they are what they are. Not here: assets that are materialized by
hand or once, which have none. A source that is exhausted makes the stream's assets stale, and
Dagster shows them so.
"""

from datetime import timedelta

import dagster as dg

from usage_platform.settings.settings import Settings

# Three of the longest intervals that a meter may have; then a day without anything is a failure.
STREAM = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=3), fail_window=timedelta(hours=24)
)

# An alarm is rare: its expected distance is one over the budget. Twice that without any is unusual;
# five times that happens by chance once in 150 times.
_EXPECTED_GAP = timedelta(weeks=1) / Settings.from_env().false_alarms_per_week
ANOMALIES = dg.FreshnessPolicy.time_window(
    warn_window=2 * _EXPECTED_GAP, fail_window=5 * _EXPECTED_GAP
)

# Models are trained weekly; one training may fail, two may not.
LONGEST_MODEL_AGE = timedelta(days=8)
MODEL = dg.FreshnessPolicy.time_window(
    warn_window=LONGEST_MODEL_AGE, fail_window=LONGEST_MODEL_AGE + timedelta(weeks=1)
)

REPORT = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(days=32), fail_window=timedelta(days=63)
)

# Computed each night where readings or tariffs have changed; one night may fail, three may not.
COSTS = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=50), fail_window=timedelta(hours=98)
)

# Computed each night; one night may fail, three may not.
FINDINGS = dg.FreshnessPolicy.time_window(
    warn_window=timedelta(hours=50), fail_window=timedelta(hours=98)
)
