"""Rows of text become readings: the one set of rules for files and portals alike.

Belongs here: what a readable row is, and the account of rows that are not. Not here: opening
files, splitting lines and talking to portals (adapters).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import cast

import numpy as np
import pandas as pd

from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import (
    BadRow,
    MissingColumnError,
    SourceError,
    SourceReadings,
)
from usage_platform.core.time.local_time import to_utc

# pandas knows the clock changes of these years only, and wraps round silently beyond 1677..2262.
_YEARS = (pd.Timestamp("1970-01-01"), pd.Timestamp("2037-12-31 23:59:59"))
_USUAL_FORM = "%Y-%m-%d %H:%M:%S"
_LOCAL_TIME = (
    r"(?:19[7-9][0-9]|20[0-2][0-9]|203[0-7])-[0-9]{2}-[0-9]{2}"
    r"[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
)
_OFFSET = r" ?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)"
_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"

_POWER = "expected a power in kW, 0 or more"
_TIME = "expected YYYY-MM-DD HH:MM:SS of 1970 to 2037, local or with an offset such as -05:00"


@dataclass(frozen=True)
class CsvColumns:
    """Which columns hold what; the defaults are those of Analyze Boston.

    Attributes:
        time: Start of the interval: the meter's wall clock, or a time with an offset.
        end: End of the interval, written like the start; a check only. None, or a name that the
            file does not have: not checked.
        value: Mean power over the interval in kW.
    """

    time: str = "usage_datetime_start_eastern_time"
    end: str | None = "usage_datetime_end_eastern_time"
    value: str = "usage_kw"

    def positions(self, header: Sequence[str], file: str) -> dict[str, int]:
        """Where the columns stand: position by "time", "value" and, if there, "end".

        Args:
            header: The names of the file's columns, in order.
            file: What to call the file in an error.

        Raises:
            MissingColumnError: A needed column is missing.
            SourceError: A column occurs twice.
        """
        found: dict[str, int] = {}
        for part, column in (("time", self.time), ("value", self.value), ("end", self.end)):
            count = header.count(column) if column is not None else 0
            if count > 1:
                raise SourceError(
                    f"{file}: column {column!r} occurs {count} times; rename all but one"
                )
            if count == 0 and part != "end":
                raise MissingColumnError(file, part, str(column), header)
            if count and column is not None:
                found[part] = header.index(column)
        return found


@dataclass(frozen=True, eq=False)
class RawRows:
    """The rows of one file as text, in the order of the file.

    Attributes:
        file: What to call the file in a bad row.
        numbers: int64, the rows' numbers as told in a bad row.
        fields: For "time", "value" and perhaps "end" the rows' texts, as long as `numbers`.
        bad_rows: Rows that could not even be split into fields; not among the others.
    """

    file: str
    numbers: np.ndarray
    fields: dict[str, list[str]]
    bad_rows: tuple[BadRow, ...] = ()


@dataclass(frozen=True, eq=False)
class FileReadings:
    """The readings of one file, repeated ones included, in the order of the file.

    Attributes:
        frame: Columns meter, ts and value as in `SourceReadings`.
        bad_rows: All rows of the file that gave no reading, by number.
    """

    frame: pd.DataFrame
    bad_rows: tuple[BadRow, ...]


def read_rows(rows: RawRows, meter: Meter, columns: CsvColumns) -> FileReadings:
    """The readings of one file of one meter.

    A row is bad, and told by its first fault, if its start is not a time, does not exist in local
    time (spring) or is not on the grid of the meter's interval; if its value is not a finite
    number of 0 or more, written with a decimal point and without thousands separators; or if its
    end can be read and is not one interval after the start. An end may be the wall clock at the
    end or, as some exporters write it across a clock change, the start's wall clock plus the
    interval.

    Of the hour that comes twice in autumn, the first row with a local time is daylight-saving
    time and each later one standard time (`local_time.to_utc`); rows with a bad value count.

    Args:
        rows: The file's rows as text.
        meter: Gives the time zone, the interval and the name.
        columns: What the fields are called in the bad rows.
    """
    text = {part: pd.Series(texts, dtype=object) for part, texts in rows.fields.items()}
    interval = timedelta(minutes=meter.interval_minutes)
    ts, unreadable = _instants(text["time"], meter.timezone)
    wall_clock = ts.dt.tz_convert(meter.timezone).dt.tz_localize(None)
    value, written, empty = _numbers(text["value"])
    checks = [
        ("time", unreadable, f"is not a time; {_TIME}"),
        (
            "time",
            ts.isna().to_numpy(),
            f"does not exist in {meter.timezone}, where the clocks go forward then; if this "
            "meter's clock never changes, set its time zone to a fixed one such as Etc/GMT+5",
        ),
        (
            "time",
            (wall_clock != wall_clock.dt.floor(interval)).to_numpy(),
            f"is not the start of an interval; expected a multiple of {meter.interval_minutes} "
            "minutes past the hour, or set the interval",
        ),
        ("value", empty, f"is empty; {_POWER}"),
        ("value", ~written, f"is not a number; {_POWER}"),
        ("value", ~np.isfinite(value), f"is too large; {_POWER}"),
        ("value", value < 0, f"is below 0; {_POWER}"),
    ]
    if "end" in text:
        wrong_end = _is_wrong_end(text["end"], ts, wall_clock, meter, interval)
        minutes = f"{meter.interval_minutes} minutes after the start"
        checks.append(("end", wrong_end, f"is not {minutes}; correct it, or set the interval"))
    names = {"time": columns.time, "value": columns.value, "end": columns.end or ""}
    bad = np.zeros(len(rows.numbers), dtype=bool)
    told = list(rows.bad_rows)
    for part, fails, reason in checks:
        first = np.flatnonzero(fails & ~bad)
        bad |= fails
        texts = text[part].to_numpy()[first]
        told += [
            BadRow(rows.file, int(number), names[part], shown, reason)
            for number, shown in zip(rows.numbers[first], texts, strict=True)
        ]
    frame = pd.DataFrame({"meter": meter.name, "ts": ts, "value": value}).loc[~bad]
    return FileReadings(frame, tuple(sorted(told, key=lambda row: row.row)))


def combine(files: Iterable[FileReadings], meters: Iterable[Meter]) -> SourceReadings:
    """One source from the readings of its files.

    Of several rows for one (meter, ts) the last one of the last file wins; the others are counted
    as repeated.

    Args:
        files: At least one, in the order of the source.
        meters: The meters that occur in them.
    """
    parts = list(files)
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    kept = frame.drop_duplicates(["meter", "ts"], keep="last").sort_values(["ts", "meter"])
    return SourceReadings(
        frame=kept.reset_index(drop=True),
        meters=tuple(meters),
        bad_rows=tuple(row for part in parts for row in part.bad_rows),
        repeated_rows=len(frame) - len(kept),
    )


def _parsed(texts: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Wall-clock times (datetime64[ns]) and times with an offset (UTC); NaT where not such."""
    # The usual form first, which pandas parses at once; patterns only for what is left.
    naive = pd.to_datetime(texts, format=_USUAL_FORM, errors="coerce")
    naive = naive.where(naive.between(*_YEARS))
    others = texts[naive.isna()].str.strip()
    local = others[others.str.fullmatch(_LOCAL_TIME).astype(bool)]
    naive = naive.fillna(pd.to_datetime(local, format="ISO8601", errors="coerce"))
    offset = others[others.str.fullmatch(_LOCAL_TIME + _OFFSET).astype(bool)]
    instants = pd.to_datetime(offset, format="ISO8601", errors="coerce", utc=True)
    return naive, cast("pd.Series", instants.reindex(texts.index))


def _instants(texts: pd.Series, timezone: str) -> tuple[pd.Series, np.ndarray]:
    """The starts in UTC, and which texts are no time; NaT with a time: not in local time."""
    naive, instants = _parsed(texts)
    unreadable = (naive.isna() & instants.isna()).to_numpy()
    return to_utc(naive, timezone, in_file_order=True).fillna(instants), unreadable


def _numbers(texts: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The values as float64, NaN where there is no number; which are numbers; which are empty."""
    # A meter takes few different values: each is looked at once.
    codes, distinct = pd.factorize(texts)
    distinct = pd.Series(distinct, dtype=object).str.strip()
    written = distinct.str.fullmatch(_NUMBER).to_numpy(dtype=bool)
    value = np.full(len(distinct), np.nan)
    value[written] = distinct.to_numpy(dtype=object)[written].astype(np.float64)
    return value[codes], written[codes], (distinct == "").to_numpy()[codes]


def _is_wrong_end(
    texts: pd.Series, ts: pd.Series, wall_clock: pd.Series, meter: Meter, interval: timedelta
) -> np.ndarray:
    """Where an end can be read and is not one interval after the start."""
    naive, instants = _parsed(texts)
    due = ts + interval
    due_clock = due.dt.tz_convert(meter.timezone).dt.tz_localize(None)
    wrong_clock = naive.notna() & (naive != due_clock) & (naive != wall_clock + interval)
    wrong_instant = instants.notna() & (instants != due)
    return (wrong_clock | wrong_instant).to_numpy()
