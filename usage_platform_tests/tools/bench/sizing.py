"""What a platform of so many meters needs and costs on AWS: `make bench-sizes`.

Belongs here: the figures that the sizes are derived from, the formulae, the table. The figures were
printed by `make bench`, `make bench-scale` and `make eval`; change them here when these print
others. What is beyond the largest measured number of meters is an extrapolation, and marked so.

Prices are list prices of us-east-1 as remembered in November 2026, without tax: assumptions, to be
checked with Amazon's calculator.
"""

import math
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

METERS = (1, 100, 1_000, 10_000, 100_000, 1_000_000)
MEASURED_UP_TO = 1_000
"""Meters up to which the figures were measured."""

EVENTS_A_DAY = 288
_DAY_SECONDS, _WEEK_SECONDS, _MONTH_HOURS = 86_400, 604_800, 730
_GB = 1e9


@dataclass(frozen=True)
class Costs:
    """What one meter costs, with a reading every five minutes.

    Attributes:
        ingest_us: CPU of an event into the lake, microseconds.
        score_us: CPU of an event scored, microseconds.
        train_s: CPU of a week's model, seconds.
        night_s: CPU of a night's findings and costs, and a day's forecast, seconds.
        scorer_mb: Memory of a scorer for each meter, MB.
        topic_bytes: An event on the topic, bytes.
        tables_mb: A year of readings and hours in the lake, MB.
        models_mb: A year of models, MB.
        base_cores: Cores of a platform without an event.
        base_gb: Memory of Spark, Dagster and the page, GB.
    """

    ingest_us: float = 64.0
    score_us: float = 21.0
    train_s: float = 0.61
    night_s: float = 0.55
    scorer_mb: float = 0.8
    topic_bytes: float = 155.0
    tables_mb: float = 1.05
    models_mb: float = 6.8
    base_cores: float = 0.10
    base_gb: float = 5.0


MEASURED = Costs()


@dataclass(frozen=True)
class Prices:
    """Assumed list prices, USD.

    Attributes:
        vcpu_hour: Of Fargate.
        gb_hour: Of Fargate.
        small_broker: A month of kafka.t3.small; three are needed.
        large_broker: A month of kafka.m7g.large.
        broker_gb: A month of a GB on a broker's disk.
        bucket_gb: A month of a GB in the bucket.
        rest_small: A month of database, NAT gateway, logs and keys, default configuration.
        rest_large: The same, configuration for production.
    """

    vcpu_hour: float = 0.04048
    gb_hour: float = 0.004445
    small_broker: float = 33.3
    large_broker: float = 149.0
    broker_gb: float = 0.10
    bucket_gb: float = 0.023
    rest_small: float = 65.0
    rest_large: float = 131.0


PRICES = Prices()
_VCPUS = (2, 4, 8, 16)
_LARGEST_TASK_GB = 120
_BROKERS = 3
_PARTITION_METERS = 5_000
_LARGE_BROKERS_FROM = 1_000
_BURST_SECONDS = 60.0


@dataclass(frozen=True)
class Size:
    """What a platform needs.

    Attributes:
        meters: How many.
        events_a_second: On average.
        cores: On average over a week.
        burst_cores: While a tick of all meters is ingested and scored within a minute.
        scorer_gb: Memory of all scorers.
        vcpus: Of all tasks.
        tasks: How many tasks: one, or as many as the memory of the scorers asks for.
        task_gb: Memory of each task.
        topic_gb: A year of events on each of three brokers.
        lake_gb: A year of tables and models.
        partitions: Of the topic `usage`.
        month_usd: About what a month costs after a year.
    """

    meters: int
    events_a_second: float
    cores: float
    burst_cores: float
    scorer_gb: float
    vcpus: int
    tasks: int
    task_gb: int
    topic_gb: float
    lake_gb: float
    partitions: int
    month_usd: float


def size_for(meters: int, costs: Costs = MEASURED, prices: Prices = PRICES) -> Size:
    """The size for so many meters.

    Args:
        meters: How many, each with a reading every five minutes.
        costs: What one costs.
        prices: List prices.
    """
    events = meters * EVENTS_A_DAY
    event_s = (costs.ingest_us + costs.score_us) / 1e6
    busy = events * event_s / _DAY_SECONDS + meters * (
        costs.train_s / _WEEK_SECONDS + costs.night_s / _DAY_SECONDS
    )
    burst = meters * event_s / _BURST_SECONDS
    scorer_gb = meters * costs.scorer_mb * 1e6 / _GB
    tasks = math.ceil(scorer_gb / (_LARGEST_TASK_GB - costs.base_gb))
    task_gb = math.ceil(scorer_gb / tasks + costs.base_gb)
    needed = (costs.base_cores * tasks + busy + burst) / tasks
    # Fargate gives at most 8 GB to a virtual processor.
    enough = (n for n in _VCPUS if n >= needed and 8 * n >= task_gb)
    vcpus = tasks * next(enough, _VCPUS[-1])
    topic_gb = 365 * events * costs.topic_bytes / _GB
    lake_gb = meters * (costs.tables_mb + costs.models_mb) * 1e6 / _GB
    is_large = meters >= _LARGE_BROKERS_FROM
    month = (
        _MONTH_HOURS * (vcpus * prices.vcpu_hour + tasks * task_gb * prices.gb_hour)
        + _BROKERS * (prices.large_broker if is_large else prices.small_broker)
        + _BROKERS * topic_gb * prices.broker_gb
        + lake_gb * prices.bucket_gb
        + (prices.rest_large if is_large else prices.rest_small)
    )
    return Size(
        meters=meters,
        events_a_second=events / _DAY_SECONDS,
        cores=costs.base_cores + busy,
        burst_cores=burst,
        scorer_gb=scorer_gb,
        vcpus=vcpus,
        tasks=tasks,
        task_gb=task_gb,
        topic_gb=topic_gb,
        lake_gb=lake_gb,
        partitions=math.ceil(meters / _PARTITION_METERS),
        month_usd=month,
    )


def cells(size: Size) -> list[str]:
    """A line of the table."""
    return [
        f"{size.meters:,}{'' if size.meters <= MEASURED_UP_TO else ' *'}",
        f"{size.events_a_second:,.2f}",
        f"{size.cores:,.2f}",
        f"{size.burst_cores:,.2f}",
        f"{size.scorer_gb:,.1f}",
        f"{size.tasks:,}",
        f"{size.vcpus:,}",
        f"{size.task_gb:,}",
        f"{size.topic_gb:,.1f}",
        f"{size.lake_gb:,.1f}",
        f"{size.partitions:,}",
        f"{size.month_usd:,.0f}",
    ]


def main() -> None:
    """Print the sizes."""
    heads = ("meters", "events/s", "cores", "burst", "scorers GB", "tasks", "vCPU", "GB a task")
    heads += ("topic GB/y", "lake GB/y", "partitions", "USD/month")
    table = Table(*heads, title="sizes; * is extrapolated, USD is an estimate")
    for column in table.columns:
        column.justify = "right"
    for meters in METERS:
        table.add_row(*cells(size_for(meters)))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
