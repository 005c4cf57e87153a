"""What a person may say about a file of readings: the words of options and settings.

Belongs here: those words and their types. Not here: what is recognised from a file itself
(`layout`, `meaning`).
"""

from dataclasses import dataclass, field

from usage_platform.core.measurement import Quantity, Sign, Stamp, Unit
from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription

BOSTON_TIME = "usage_datetime_start_eastern_time"
BOSTON_END = "usage_datetime_end_eastern_time"
BOSTON_VALUE = "usage_kw"


@dataclass(frozen=True)
class CsvColumns:
    """Which columns hold what; an empty name: the column is recognised.

    Attributes:
        time: Time of the row: the meter's wall clock, or a time with an offset; "date+time" names
            two columns.
        end: End of the interval, written like the time; a check only. None: not checked.
        value: What the meter measured.
    """

    time: str = ""
    end: str | None = ""
    value: str = ""


@dataclass(frozen=True)
class FileOptions:
    """What a person said about the files; nothing by default.

    Attributes:
        quantity: What a value measures.
        unit: The unit of the values.
        stamp: Which moment of its interval a row carries.
        sign: What a value below 0 means.
        meter_column: The column whose text names the meter of a row.
        delimiter: What separates the fields of a line: one character.
        decimal: The decimal mark: a point or a comma.
        time_format: How times are written: a format of `strptime`, `epoch_s`, `epoch_ms`,
            `epoch_us` or `epoch_ns`.
        skip_lines: Lines above the header.
        allow_bad_rows: Whether more than a fifth of the rows may be unreadable.
        sheet: The sheet of a workbook.
        meters: What people say of single meters.
        register_size: Where a register begins at 0 again, in the unit; None: not known.
        factor: By what values are multiplied.
        step: Minutes between rows, of a version that says its interval; None: the rows show it.
    """

    quantity: Quantity | None = None
    unit: Unit | None = None
    stamp: Stamp | None = None
    sign: Sign = Sign.CONSUMPTION
    meter_column: str = ""
    delimiter: str = ""
    decimal: str = ""
    time_format: str = ""
    skip_lines: int | None = None
    allow_bad_rows: bool = False
    sheet: str = ""
    meters: Descriptions = field(default_factory=dict[str, MeterDescription], hash=False)
    register_size: float | None = None
    factor: float = 1.0
    step: int | None = None
