"""The row on a backlog through one process, through executors in one JVM, and on Spark workers.

Belongs here: the same events in each way, and that all leave the same tables. Not here: a backlog
beside its physical limits (`ingestion`).
"""

from contextlib import ExitStack

import pandas as pd

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, Lake
from usage_platform.adapters.spark.session import remote_session
from usage_platform.core.meters import MeterRegistry
from usage_platform.local.spark_cluster import tasks_at_once
from usage_platform.services.ingest import drain_topics
from usage_platform_tests import oracle
from usage_platform_tests.tools.bench.figures import Beside, Figure
from usage_platform_tests.tools.bench.ingestion import put
from usage_platform_tests.tools.bench.made_readings import readings_of
from usage_platform_tests.tools.bench.workbench import Workbench

_WORKERS = 2
_METERS, _DAYS = 1_000, 1
_MINUTES = 5


def spark_workers(bench: Workbench) -> list[Figure]:
    """A day of 1,000 meters, after another day of theirs that warms the JVMs up."""
    tasks = tasks_at_once(_WORKERS)
    ways = {
        "one process beside Spark": (bench.spark_url, 0),
        f"executors, in Spark's own process (local[{tasks}])": (bench.executors_url(0), tasks),
        f"executors of {_WORKERS} workers": (bench.executors_url(_WORKERS), tasks),
    }
    kafka, seconds = bench.fresh_kafka(), dict[str, float]()
    lakes = {what: Lake(str(bench.new_folder())) for what in ways}
    played = [readings_of(_METERS, _DAYS), readings_of(_METERS, _DAYS, skipped=_DAYS)]
    with ExitStack() as stack:
        sessions = {what: stack.enter_context(remote_session(ways[what][0])) for what in ways}
        for readings in played:
            put(kafka, readings)
            for what, (_, at_once) in ways.items():
                drained = drain_topics(
                    sessions[what],
                    lakes[what],
                    MeterRegistry(),
                    kafka,
                    lambda line: None,
                    tasks=at_once,
                )[USAGE]
                if drained.events != len(readings):
                    raise RuntimeError(f"{what}: {drained.events} of {len(readings)} events")
                seconds[what] = drained.seconds
    for lake in lakes.values():
        _check(lake, pd.concat(played))
    *others, last = (Beside(what, len(played[-1]) / took) for what, took in seconds.items())
    what = f"{len(played[-1]):,} events of {_METERS:,} meters x {_DAYS} day on {last.what}"
    return [Figure(what, last.value, "events/s", tuple(others))]


def _check(lake: Lake, played: pd.DataFrame) -> None:
    """The tables hold what was played, and the hours that the oracle makes of it."""
    readings = oracle.rows_in(lake, READINGS)
    of_source = played.sort_values(["meter", "ts"], ignore_index=True)
    expected = of_source.rename(columns={"ts": "event_time"})[["meter", "event_time", "value"]]
    pd.testing.assert_frame_equal(readings[[*expected.columns]], expected, check_dtype=False)
    hours = oracle.hours_of(readings, dict.fromkeys(played["meter"].unique(), _MINUTES))
    oracle.assert_table(lake, USAGE_HOURLY, hours)
