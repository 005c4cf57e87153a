"""`usage-platform replay`: judge a file's readings as they would have been judged at the time.

Belongs here: one file in, one file out. Not here: how readings are judged (`core.replay`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import holidays
import pandas as pd

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.detector.episodes import episodes
from usage_platform.core.detector.grid import Calendar
from usage_platform.core.detector.model import Method, Tuning
from usage_platform.core.replay import replay
from usage_platform.core.source_readings import SourceError

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz")


@dataclass(frozen=True)
class Replayed:
    """What a replay did.

    Attributes:
        readings: Judged readings, one row of the file each.
        bad_rows: Rows that could not be read and are not in the output.
        repeated_rows: Rows whose time came again further on.
        learning: Readings that only the rules judged, as there was too little history.
        flagged: Odd readings.
        episodes: One row an episode (`core.detector.episodes`).
    """

    readings: int
    bad_rows: int
    repeated_rows: int
    learning: int
    flagged: int
    episodes: pd.DataFrame

    def in_words(self) -> str:
        """For people, in one line."""
        parts = [
            f"{self.readings:,} readings judged",
            f"{self.flagged:,} odd in {len(self.episodes):,} episodes",
        ]
        counts = {
            "only by rules, while learning": self.learning,
            "bad rows left out": self.bad_rows,
            "repeated rows left out": self.repeated_rows,
        }
        return "; ".join(parts + [f"{count:,} {what}" for what, count in counts.items() if count])


def calendar_of(country: str | None) -> Calendar:
    """A calendar of public holidays.

    Args:
        country: A country, `US`, or a country and a part of it, `US-MA`; None for no calendar.

    Raises:
        SourceError: If the `holidays` library does not know it.
    """
    if country is None:
        return Calendar()
    name, _, part = country.partition("-")
    try:
        holidays.country_holidays(name, subdiv=part or None, years=2024)
    except NotImplementedError:
        raise SourceError(
            f"holidays: {country!r} is not known; give a country such as US, or with a part of it "
            "such as US-MA"
        ) from None
    return Calendar(name, part or None)


def replay_file(
    source: CsvSource,
    out: Path,
    calendar: Calendar,
    method: Method,
    tuning: Tuning,
    progress: Callable[[str], None],
) -> Replayed:
    """Judge a file's readings and write every one with what was said of it.

    Args:
        source: One meter's readings.
        out: The file to write; its ending says how: .csv, .csv.gz or .parquet.
        calendar: The meter's rest days.
        method: How oddness is measured.
        tuning: What the user chose.
        progress: Told now and then what is going on.

    Raises:
        SourceError: If the ending is not known, the folder is missing, or the source cannot be
            read.
    """
    check_ending(out)
    if not out.parent.is_dir():
        raise SourceError(f"out: there is no folder {out.parent}; create it")
    loaded = source.load(lambda done, of: progress(f"{done:,} rows read"))
    judged = replay(
        loaded.frame.loc[:, ["ts", "value"]],
        source.meter,
        calendar,
        method,
        tuning,
        progress=lambda done, of: progress(f"week {done} of {of} judged"),
    )
    _write(judged, out)
    return Replayed(
        readings=len(judged),
        bad_rows=len(loaded.bad_rows),
        repeated_rows=loaded.repeated_rows,
        learning=int(judged["learning"].sum()),
        flagged=int(judged["flagged"].sum()),
        episodes=episodes(judged, source.meter),
    )


def check_ending(out: Path) -> None:
    """Say early that a file cannot be written.

    Raises:
        SourceError: If the ending is not known.
    """
    if not out.name.endswith((*_CSV, *_PARQUET)):
        known = ", ".join((*_CSV, *_PARQUET))
        raise SourceError(f"out: {out.name} ends in none of {known}; choose one")


def _write(judged: pd.DataFrame, out: Path) -> None:
    if out.name.endswith(_PARQUET):
        judged.to_parquet(out, index=False)
    else:
        judged.to_csv(out, index=False, date_format="%Y-%m-%dT%H:%M:%SZ", float_format="%.6g")
