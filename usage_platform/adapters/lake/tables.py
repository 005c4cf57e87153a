"""The Delta tables: their names, places, columns and properties.

Belongs here: schemas, and what Athena and Power BI need of them (reader version 1). Not here: how
they are made (`table_creation`), written (`micro_batch`, `anomaly_table`) and read (`lake_reader`).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its name.
        spark_type: Its type in Spark SQL, such as DOUBLE.
        comment: What it holds; empty where its name says it.
    """

    name: str
    spark_type: str
    comment: str


@dataclass(frozen=True)
class LakeTable:
    """One Delta table.

    Attributes:
        name: Its folder under `deltalake/` and its name in SQL.
        columns: Column definitions in Spark SQL, a line each.
        partition: The date column that partitions it.
    """

    name: str
    columns: str
    partition: str

    @property
    def definitions(self) -> list[str]:
        """The columns' definitions, one each."""
        return [line.strip().rstrip(",") for line in self.columns.strip().splitlines()]

    @property
    def schema(self) -> list[Column]:
        """The columns, in order."""
        parts = (line.split(maxsplit=2) for line in self.definitions)
        return [
            Column(name, kind, "".join(rest).removeprefix("COMMENT '").removesuffix("'"))
            for name, kind, *rest in parts
        ]


READINGS = LakeTable(
    "readings",
    """
    meter STRING COMMENT 'name of the meter',
    event_time TIMESTAMP COMMENT 'start of the interval, UTC',
    event_date DATE COMMENT 'UTC date of event_time',
    value DOUBLE COMMENT 'mean power over the interval, kW',
    kafka_time TIMESTAMP COMMENT 'when the broker appended the winning event',
    partition INT COMMENT 'topic partition of the winning event',
    offset BIGINT COMMENT 'topic offset of the winning event',
    late BOOLEAN COMMENT 'came after its hour was final',
    rev INT COMMENT 'how often a newer event changed the value'
    """,
    "event_date",
)
USAGE_HOURLY = LakeTable(
    "usage_hourly",
    """
    meter STRING COMMENT 'name of the meter',
    start TIMESTAMP COMMENT 'start of the hour, UTC',
    end TIMESTAMP COMMENT 'end of the hour, UTC, exclusive',
    event_date DATE COMMENT 'UTC date of start',
    avg_usage DOUBLE COMMENT 'mean of the readings, kW',
    n INT COMMENT 'readings in the hour',
    expected_n INT COMMENT 'readings a complete hour holds',
    min_usage DOUBLE COMMENT 'kW',
    max_usage DOUBLE COMMENT 'kW',
    energy_kwh DOUBLE COMMENT 'energy of the readings that are there',
    is_final BOOLEAN COMMENT 'the meter has sent readings an hour past the end',
    last_reading TIMESTAMP COMMENT 'newest event_time in the hour',
    late_n INT COMMENT 'readings that came after the hour was final',
    rev INT COMMENT 'how often the row was changed'
    """,
    "event_date",
)
REJECTS = LakeTable(
    "rejects",
    """
    topic STRING,
    partition INT,
    offset BIGINT,
    kafka_time TIMESTAMP COMMENT 'when the broker appended the event',
    received_date DATE COMMENT 'UTC date of kafka_time',
    reason STRING COMMENT 'code of what is wrong',
    detail STRING COMMENT 'what was expected, in words',
    meter STRING COMMENT 'name of the meter, where it could be read',
    raw BINARY COMMENT 'the event as it came'
    """,
    "received_date",
)
ANOMALIES = LakeTable(
    "anomalies",
    """
    anomaly_id STRING COMMENT 'the same anomaly always has the same id',
    meter STRING COMMENT 'name of the meter',
    event_time TIMESTAMP COMMENT 'start of the interval, UTC',
    event_date DATE COMMENT 'UTC date of event_time',
    usage DOUBLE COMMENT 'mean power over the interval, kW',
    expected DOUBLE COMMENT 'kW; unknown while there is too little history',
    expected_low DOUBLE COMMENT 'kW',
    expected_high DOUBLE COMMENT 'kW',
    score DOUBLE COMMENT '1 is the bar; grows with the deviation',
    severity STRING COMMENT 'low, medium, high',
    kind STRING COMMENT 'spike, drop, zero, stuck, night_load, weekend_load, level_shift, gross',
    direction STRING COMMENT 'above, below or at what was expected',
    excess_kwh DOUBLE COMMENT 'energy above what was expected, below it negative',
    episode STRING COMMENT 'name of the episode: when its first odd reading began, UTC',
    explanation STRING COMMENT 'why it is odd, for people',
    z DOUBLE COMMENT 'deviation from what days and weeks let expect, in usual ones',
    z_short DOUBLE COMMENT 'deviation from what the last hours let expect, in usual ones',
    z_week DOUBLE COMMENT 'deviation from the last week alone, in usual ones',
    run BIGINT COMMENT 'equal readings in a row',
    model_version STRING COMMENT 'the model that judged',
    status STRING COMMENT 'told; withdrawn when a late or corrected reading made it none',
    found_at TIMESTAMP COMMENT 'when the topic first told of it, or a backfill first found it',
    changed_at TIMESTAMP COMMENT 'when what the row says now was told or found',
    rev INT COMMENT 'how often what is said of it has changed'
    """,
    "event_date",
)
RUN_TOTALS = LakeTable(
    "run_totals",
    """
    day DATE COMMENT 'UTC date on which the runs were made',
    job STRING COMMENT 'the job',
    runs BIGINT COMMENT 'runs that have ended',
    failed BIGINT COMMENT 'those that failed or were cancelled',
    seconds DOUBLE COMMENT 'how long they took together',
    events BIGINT COMMENT 'events that they moved'
    """,
    "day",
)
TABLES = (READINGS, USAGE_HOURLY, REJECTS, ANOMALIES)
"""What readings become."""
ALL_TABLES = (*TABLES, RUN_TOTALS)
READER_VERSION = 1
_A_WEEK_HOURS = 168


def log_properties(hours: int = _A_WEEK_HOURS) -> dict[str, str]:
    """What keeps a table's log from growing for ever.

    Args:
        hours: How long past states are kept: files that no row needs, and the commits that tell of
            them. Delta wants the second to be kept at least as long as the first.
    """
    return {
        "delta.deletedFileRetentionDuration": f"interval {hours} hours",
        "delta.logRetentionDuration": f"interval {hours} hours",
        # A checkpoint tells all files of the table and all that were replaced lately: written after
        # each tenth commit, as is usual, those of a week would outweigh the table.
        "delta.checkpointInterval": "50",
    }


PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    **log_properties(),
}
"""Of every table when it is made."""


@dataclass(frozen=True)
class Lake:
    """The places of the lake under its root (a folder or `s3://bucket/prefix`)."""

    root: str

    def table(self, table: LakeTable | str) -> str:
        """Where a table lies."""
        name = table if isinstance(table, str) else table.name
        return f"{self.root}/deltalake/{name}"

    def checkpoint(self, stream: str, own: str = "") -> str:
        """Where the progress of a stream into the lake lies; in a folder of its own if need be."""
        return "/".join(filter(None, [self.root, "checkpoint", own, stream]))

    @property
    def assets(self) -> str:
        """Where source files and the meters' descriptions lie."""
        return f"{self.root}/assets"

    @property
    def models(self) -> str:
        """Where the models lie."""
        return f"{self.root}/models"

    def sql(self, table: LakeTable) -> str:
        """The table's name in Spark SQL; the root comes from the settings, not from a request."""
        return f"delta.`{self.spark_path(self.table(table)).replace('`', '``')}`"

    @staticmethod
    def spark_path(path: str) -> str:
        """The path as Hadoop names it."""
        return path.replace("s3://", "s3a://", 1)
