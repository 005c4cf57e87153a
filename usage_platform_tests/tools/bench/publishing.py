"""Rows on the way before the lake: reading a file and playing readings onto the topic."""

from usage_platform_tests.tools.bench.csv_load import ROWS, csv_reads
from usage_platform_tests.tools.bench.figures import Beside, Figure
from usage_platform_tests.tools.bench.ingestion import put
from usage_platform_tests.tools.bench.limits import consume_a_second, produce_a_second
from usage_platform_tests.tools.bench.made_readings import readings_of
from usage_platform_tests.tools.bench.naive import flush_a_message
from usage_platform_tests.tools.bench.workbench import Workbench

_NAIVE_MESSAGES = 2_000
_YEAR_DAYS = 366


def csv(bench: Workbench) -> list[Figure]:
    """Rows of a CSV file, read, recognised, checked and sorted."""
    ours, described, pandas = csv_reads(bench.new_folder())
    speed = Beside("pandas.read_csv", pandas.rows_a_second)
    memory = Beside("pandas.read_csv", pandas.peak_mib)
    peak = f"memory to read {ROWS:,} rows"
    return [
        Figure("rows of a CSV file read", ours.rows_a_second, "rows/s per core", (speed,)),
        Figure(peak, ours.peak_mib, "MiB", (memory,), more_is_better=False),
        Figure(
            "rows of a CSV file read, half of its meters described",
            described.rows_a_second,
            "rows/s per core",
            (speed,),
        ),
        Figure(
            f"{peak}, half of its meters described",
            described.peak_mib,
            "MiB",
            (memory,),
            more_is_better=False,
        ),
    ]


def played(bench: Workbench) -> list[Figure]:
    """A year of a meter played onto the topic."""
    year = readings_of(1, _YEAR_DAYS)
    naive = flush_a_message(bench.fresh_kafka(), year.iloc[:_NAIVE_MESSAGES])
    limit = produce_a_second(bench.fresh_kafka(), year)
    kafka = bench.fresh_kafka()
    seconds = put(kafka, year)
    beside = (
        Beside("the naive way: a flush after each message", naive),
        Beside("the limit: the same messages, made before", limit),
    )
    return [
        Figure("played onto the topic", len(year) / seconds, "readings/s", beside),
        Figure("consumed from it and dropped", consume_a_second(kafka), "events/s"),
    ]
