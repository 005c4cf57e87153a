"""The tables of the lake as a Power BI semantic model: TMDL text that is made from the schemas.

Belongs here: columns, types and the M source of each table, and the parameters they share. Not
here: measures, the days and the meters, and the report, which are written by hand in `powerbi/`.

Power Query knows no time zones but the viewer's own, so the changes of the building's offset come
as a list: hours and weekdays are right on both days of a clock change, wherever the report is seen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from textwrap import indent

from usage_platform.adapters.lake.tables import ANOMALIES, USAGE_HOURLY, Column, LakeTable
from usage_platform.core.time.local_time import offset_changes

FIRST_DAY, LAST_DAY = date(2010, 1, 1), date(2050, 12, 31)
"""Local times are known for these UTC days; outside of them they stay empty."""

# Of a column's type in Spark: that of the model, that of M, and how it is written.
_TYPES = {
    "STRING": ("string", "type text", ""),
    "TIMESTAMP": ("dateTime", "type datetime", "yyyy-mm-dd hh:nn"),
    "DATE": ("dateTime", "type date", "yyyy-mm-dd"),
    "DOUBLE": ("double", "type number", "#,0.0"),
    "INT": ("int64", "Int64.Type", "#,0"),
    "BIGINT": ("int64", "Int64.Type", "#,0"),
    "BOOLEAN": ("boolean", "type logical", ""),
}


@dataclass(frozen=True)
class ModelTable:
    """A table of the lake in the model.

    Attributes:
        table: The table.
        time: The column that tells when, from which the local ones are made.
        hidden: Columns that people who draw pictures do not need.
    """

    table: LakeTable
    time: str
    hidden: tuple[str, ...]


MODEL_TABLES = (
    ModelTable(USAGE_HOURLY, "start", ("event_date", "last_reading", "rev")),
    ModelTable(ANOMALIES, "event_time", ("event_date", "z", "z_short", "z_week", "run")),
)
"""`readings` are left out: the hours hold their minima, maxima and energy in a twelfth of the rows,
and an import of five-minute rows would carry them all."""


def model_files(timezone: str) -> Mapping[str, str]:
    """The files of the model that are made.

    Args:
        timezone: IANA name of the building's time zone.

    Returns:
        Text by path below the model's `definition` folder.
    """
    tables = {f"tables/{m.table.name}.tmdl": "\n".join(_table(m)) + "\n" for m in MODEL_TABLES}
    return {"expressions.tmdl": "\n".join(_expressions(timezone)) + "\n", **tables}


def _local_columns(time: str) -> list[Column]:
    return [
        Column(f"{time}_local", "TIMESTAMP", f"{time} in the building's local time"),
        Column("local_date", "DATE", f"local day of {time}"),
        Column("weekday", "STRING", "local weekday, Mon to Sun"),
        Column("weekday_number", "INT", "1 for Monday to 7 for Sunday"),
        Column("hour", "INT", "local hour of the day, 0 to 23"),
    ]


def _table(model: ModelTable) -> Iterator[str]:
    yield f"/// The lake's table {model.table.name}, made from its schema by make powerbi."
    yield f"table {model.table.name}"
    hidden = (*model.hidden, "weekday_number")
    for column in (*model.table.schema, *_local_columns(model.time)):
        yield ""
        yield from _column(column, hidden=column.name in hidden)
    yield ""
    yield f"\tpartition {model.table.name} = m"
    yield "\t\tmode: import"
    yield "\t\tsource ="
    yield indent(_source(model), "\t\t\t\t")


def _column(column: Column, hidden: bool) -> Iterator[str]:
    data_type, _, format_string = _TYPES[column.spark_type]
    if column.comment:
        yield f"\t/// {column.comment}"
    yield f"\tcolumn {column.name}"
    yield f"\t\tdataType: {data_type}"
    if hidden:
        yield "\t\tisHidden"
    if format_string:
        yield f"\t\tformatString: {format_string}"
    yield "\t\tsummarizeBy: none"
    yield f"\t\tsourceColumn: {column.name}"
    if column.name == "weekday":
        yield "\t\tsortByColumn: weekday_number"


def _source(model: ModelTable) -> str:
    name, time = model.table.name, model.time
    columns = list(model.table.schema)
    names = ", ".join(f'"{column.name}"' for column in columns)
    times = [column.name for column in columns if column.spark_type == "TIMESTAMP"]
    to_utc = ", ".join(f'{{"{one}", ToUtc, type datetime}}' for one in times)
    others = [column for column in columns if column.name not in times]
    types = ", ".join(f'{{"{one.name}", {_TYPES[one.spark_type][1]}}}' for one in others)
    athena = (
        'AmazonAthena.Databases(AthenaDsn, null, []){[Name = "AwsDataCatalog", Kind = "Database"]}'
        f'[Data]{{[Name = AthenaDatabase, Kind = "Schema"]}}[Data]'
        f'{{[Name = "{name}", Kind = "Table"]}}[Data]'
    )
    steps = {
        "InFolder": f'DeltaLake.Table(Folder.Contents(LakeFolder & "\\deltalake\\{name}"))',
        "InAthena": athena,
        "Found": 'if ReadFrom = "Athena" then InAthena else InFolder',
        "Chosen": f"Table.SelectColumns(Found, {{{names}}})",
        "InUtc": f"Table.TransformColumns(Chosen, {{{to_utc}}})",
        "Typed": f"Table.TransformColumnTypes(InUtc, {{{types}}})",
        "WithLocal": f'Table.AddColumn(Typed, "{time}_local", each ToLocal([{time}]), '
        "type nullable datetime)",
        "WithDay": f'Table.AddColumn(WithLocal, "local_date", each DateTime.Date([{time}_local]), '
        "type nullable date)",
        "WithWeekday": 'Table.AddColumn(WithDay, "weekday", '
        'each Date.ToText([local_date], "ddd", "en-US"), type nullable text)',
        "WithNumber": 'Table.AddColumn(WithWeekday, "weekday_number", '
        "each Date.DayOfWeek([local_date], Day.Monday) + 1, Int64.Type)",
        "WithHour": f'Table.AddColumn(WithNumber, "hour", each Time.Hour([{time}_local]), '
        "Int64.Type)",
    }
    body = ",\n".join(f"    {step} = {text}" for step, text in steps.items())
    return f"let\n{body}\nin\n    WithHour"


def _expressions(timezone: str) -> Iterator[str]:
    kind = 'List = {"Local folder", "Athena"}, '
    yield "/// Where the tables are read from: Local folder, or Athena."
    yield from _parameter("ReadFrom", "Local folder", kind)
    yield "/// The lake's folder as Windows sees it; its tables are in deltalake below it."
    yield from _parameter("LakeFolder", r"C:\usage_platform\.usage\lake")
    yield "/// The name of the ODBC data source (DSN) of the Amazon Athena driver."
    yield from _parameter("AthenaDsn", "usage_platform")
    yield "/// The database of the AWS Glue catalog that holds the tables."
    yield from _parameter("AthenaDatabase", "usage_platform")
    changes = offset_changes(timezone, FIRST_DAY, LAST_DAY)
    rows = [f"{{{_datetime(at)}, {minutes}}}" for at, minutes in changes]
    rows.append(f"{{{_datetime(datetime(LAST_DAY.year + 1, 1, 1))}, null}}")  # noqa: DTZ001 - M has none
    yield f"/// From when on {timezone} is how many minutes ahead of UTC."
    yield from _function("UtcOffsets", "List.Buffer({\n    " + ",\n    ".join(rows) + "\n})")
    yield "/// A time as the sources give it, with a zone or without one, as UTC."
    yield from _function(
        "ToUtc",
        "(at as any) as any =>\n    if at is datetimezone "
        "then DateTimeZone.RemoveZone(DateTimeZone.ToUtc(at)) else at",
    )
    yield "/// A UTC time in the building's local time."
    yield from _function(
        "ToLocal",
        "(at as nullable datetime) as nullable datetime =>\n    let\n"
        "        Before = List.Select(UtcOffsets, each _{0} <= at),\n"
        "        Minutes = if at = null or List.IsEmpty(Before) then null "
        "else List.Last(Before){1}\n"
        "    in\n        if Minutes = null then null else at + #duration(0, 0, Minutes, 0)",
    )


def _parameter(name: str, value: str, kind: str = "") -> Iterator[str]:
    yield (
        f'expression {name} = "{value}" meta [IsParameterQuery = true, {kind}Type = "Text", '
        "IsParameterQueryRequired = true]"
    )
    yield ""


def _function(name: str, body: str) -> Iterator[str]:
    yield f"expression {name} ="
    yield indent(body, "\t\t")
    yield ""


def _datetime(at: datetime) -> str:
    return f"#datetime({at.year}, {at.month}, {at.day}, {at.hour}, {at.minute}, {at.second})"
