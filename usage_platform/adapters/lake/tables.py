"""The Delta tables: their names, locations, columns and properties.

Belongs here: schemas, and what Athena and Power BI need of them (reader version 1). Not here:
creating tables (`table_creation`), writing them (`adapters.spark`), reading them (`reader`).
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
        columns: Column definitions in Spark SQL, one a line.
        partition: The date column that partitions it.
    """

    name: str
    columns: str
    partition: str

    @property
    def definitions(self) -> list[str]:
        """The column definitions, one an element."""
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
    value DOUBLE COMMENT 'mean over the interval, kW, or the unit of usage_hourly',
    kafka_time TIMESTAMP COMMENT 'when the broker appended the winning event',
    partition INT COMMENT 'topic partition of the winning event',
    offset BIGINT COMMENT 'topic offset of the winning event',
    late BOOLEAN COMMENT 'arrived after its hour was final',
    rev INT COMMENT 'number of times a newer event changed the value'
    """,
    "event_date",
)
USAGE_HOURLY = LakeTable(
    "usage_hourly",
    """
    meter STRING COMMENT 'name of the meter',
    start TIMESTAMP COMMENT 'start of an hour on the clock of the meter, as UTC',
    end TIMESTAMP COMMENT 'end of the hour, UTC, exclusive',
    event_date DATE COMMENT 'UTC date of start',
    avg_usage DOUBLE COMMENT 'mean of the readings, kW or unit',
    n INT COMMENT 'number of readings in the hour',
    expected_n INT COMMENT 'number of readings of a complete hour',
    min_usage DOUBLE COMMENT 'smallest reading, kW or unit',
    max_usage DOUBLE COMMENT 'largest reading, kW or unit',
    energy_kwh DOUBLE COMMENT 'energy of the readings present, kWh; null where unit is not kW',
    is_final BOOLEAN COMMENT 'the meter has sent readings one hour past the end of the hour',
    last_reading TIMESTAMP COMMENT 'newest event_time in the hour',
    late_n INT COMMENT 'number of readings that arrived after the hour was final',
    rev INT COMMENT 'number of times the row was changed',
    unit STRING COMMENT 'unit of the usages where it is not kW, such as m3/h; null for kW'
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
    reason STRING COMMENT 'code of the reason',
    detail STRING COMMENT 'what was expected',
    meter STRING COMMENT 'name of the meter, where it could be read',
    key BINARY COMMENT 'key of the event; empty in rows of former versions',
    raw BINARY COMMENT 'value of the event, unchanged; the first 1,000 bytes of one too large'
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
    usage DOUBLE COMMENT 'mean over the interval, kW, or the unit of usage_hourly',
    expected DOUBLE COMMENT 'expected power, kW; null while there is too little history',
    expected_low DOUBLE COMMENT 'lower end of the expected range, kW',
    expected_high DOUBLE COMMENT 'upper end of the expected range, kW',
    score DOUBLE COMMENT 'anomaly score; 1 is the threshold',
    severity STRING COMMENT 'low, medium, high',
    kind STRING COMMENT 'spike, drop, zero, stuck, night_load, weekend_load, level_shift, gross',
    direction STRING COMMENT 'above, below or at, relative to the expected power',
    excess_kwh DOUBLE COMMENT 'energy above the expected energy, kWh; null for other units',
    episode STRING COMMENT 'name of the episode: start of its first anomalous reading, UTC',
    explanation STRING COMMENT 'why the reading is anomalous, as a sentence',
    z DOUBLE COMMENT 'robust z-score against the daily and weekly baseline',
    z_short DOUBLE COMMENT 'robust z-score against the last hours',
    z_week DOUBLE COMMENT 'robust z-score against the last week alone',
    run BIGINT COMMENT 'number of equal readings in a row',
    model_version STRING COMMENT 'version of the model that scored the reading',
    status STRING COMMENT 'told (published), or withdrawn after a late or corrected reading',
    found_at TIMESTAMP COMMENT 'when it was first published, or first found by a backfill',
    changed_at TIMESTAMP COMMENT 'when the current state of the row was published or found',
    rev INT COMMENT 'number of times the row was changed'
    """,
    "event_date",
)
RUN_TOTALS = LakeTable(
    "run_totals",
    """
    day DATE COMMENT 'UTC date on which the runs were created',
    job STRING COMMENT 'name of the job',
    runs BIGINT COMMENT 'number of finished runs',
    failed BIGINT COMMENT 'number of failed or cancelled runs',
    seconds DOUBLE COMMENT 'total duration of the runs',
    events BIGINT COMMENT 'number of events that the runs processed'
    """,
    "day",
)
USAGE_COST = LakeTable(
    "usage_cost",
    """
    meter STRING COMMENT 'name of the meter',
    start TIMESTAMP COMMENT 'start of an hour on the clock of the meter, as UTC',
    end TIMESTAMP COMMENT 'end of the hour, UTC, exclusive',
    event_date DATE COMMENT 'UTC date of start',
    covered_minutes INT COMMENT 'minutes of the hour that have readings',
    kwh DOUBLE COMMENT 'energy taken, kWh',
    export_kwh DOUBLE COMMENT 'energy given, kWh',
    tariff STRING COMMENT 'name of the tariff in a currency; null without one',
    currency STRING COMMENT 'ISO 4217; null without a tariff',
    cost DOUBLE COMMENT 'cost before taxes, less what is paid for export; null without a price',
    co2_kg DOUBLE COMMENT 'emissions, kg CO2; null without a tariff in gCO2',
    rev INT COMMENT 'number of times the row was changed'
    """,
    "event_date",
)
USAGE_FINDINGS = LakeTable(
    "usage_findings",
    """
    id STRING COMMENT '12 hexadecimal digits; the same finding has the same id each night',
    meter STRING COMMENT 'name of the meter',
    kind STRING COMMENT 'what was found, such as base_load_increase',
    start TIMESTAMP COMMENT 'start of the time that it is about, UTC',
    end TIMESTAMP COMMENT 'end of it, UTC, exclusive',
    sentence STRING COMMENT 'what was found, as a sentence',
    kwh DOUBLE COMMENT 'energy above what is usual or needed in that time, kWh',
    kwh_per_year DOUBLE COMMENT 'the same in a year if it continues; null for what happens once',
    cost_per_year DOUBLE COMMENT 'what that costs before taxes; null without a tariff',
    currency STRING COMMENT 'ISO 4217; null without a tariff',
    first_seen DATE COMMENT 'local date of the night in which it was first found',
    last_seen DATE COMMENT 'local date of the night in which it was last found',
    is_current BOOLEAN COMMENT 'whether the last night that looked at the meter has found it',
    quarter DATE COMMENT 'first day of the quarter of first_seen',
    rev INT COMMENT 'number of times the row was changed, beside last_seen'
    """,
    "quarter",
)
TABLES = (READINGS, USAGE_HOURLY, REJECTS, ANOMALIES)
"""The tables that the streams fill."""
ALL_TABLES = (*TABLES, USAGE_COST, USAGE_FINDINGS, RUN_TOTALS)
READER_VERSION = 1
_A_WEEK_HOURS = 168


def log_properties(hours: int = _A_WEEK_HOURS) -> dict[str, str]:
    """Table properties that keep a table's log from growing without bound.

    Args:
        hours: How long past versions are kept: files that the current version does not need, and
            the commits that name them. Delta requires the second to be kept at least as long as the
            first.
    """
    return {
        "delta.deletedFileRetentionDuration": f"interval {hours} hours",
        "delta.logRetentionDuration": f"interval {hours} hours",
        # A checkpoint lists all files of the table and all that were replaced lately: with Delta's
        # default of ten commits, those of a week would be larger than the table.
        "delta.checkpointInterval": "50",
    }


PROPERTIES = {
    "delta.enableDeletionVectors": "false",
    **log_properties(),
}
"""The properties of every new table."""


@dataclass(frozen=True)
class Lake:
    """The locations in a lake under its root (a folder or `s3://bucket/prefix`)."""

    root: str

    def table(self, table: LakeTable | str) -> str:
        """The location of a table."""
        name = table if isinstance(table, str) else table.name
        return f"{self.root}/deltalake/{name}"

    def checkpoint(self, stream: str, own: str = "") -> str:
        """The checkpoint of a stream into the lake; below the folder `own` where one is given."""
        return "/".join(filter(None, [self.root, "checkpoint", own, stream]))

    @property
    def assets(self) -> str:
        """The location of source files and of the meters' descriptions."""
        return f"{self.root}/assets"

    @property
    def models(self) -> str:
        """The location of the models."""
        return f"{self.root}/models"

    @property
    def meters(self) -> str:
        """The location of the list of accepted meters."""
        return f"{self.root}/meters"

    def sql(self, table: LakeTable) -> str:
        """The table's name in Spark SQL; the root comes from the settings, not from a request."""
        return f"delta.`{self.spark_path(self.table(table)).replace('`', '``')}`"

    @staticmethod
    def spark_path(path: str) -> str:
        """The path as Hadoop names it."""
        return path.replace("s3://", "s3a://", 1)
