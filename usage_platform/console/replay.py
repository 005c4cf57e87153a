"""`usage-platform replay`: judge a source's readings as they would have been judged at the time.

Belongs here: one source in, one file out. Not here: how readings are judged
(`core.evaluation.replay`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from usage_platform.core.anomalies.episode_summary import episodes
from usage_platform.core.evaluation.replay import replay
from usage_platform.core.readings.source import ReadingSource, SourceError
from usage_platform.services.train import Wishes

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz")


@dataclass(frozen=True)
class Replayed:
    """What a replay did.

    Attributes:
        readings: Judged readings, one row of the file each.
        bad_rows: Rows that could not be read and are not in the output.
        first_bad_row: The first of them, in words; empty without one.
        repeated_rows: Rows whose time came again further on.
        learning: Readings that only the rules judged, as there was too little history.
        flagged: Odd readings.
        episodes: One row an episode (`core.anomalies.episode_summary`).
    """

    readings: int
    bad_rows: int
    first_bad_row: str
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
            "repeated rows left out": self.repeated_rows,
            f"bad rows left out, the first {self.first_bad_row}": self.bad_rows,
        }
        return "; ".join(parts + [f"{count:,} {what}" for what, count in counts.items() if count])


def replay_source(
    source: ReadingSource,
    out: Path,
    wishes: Wishes,
    progress: Callable[[str], None],
) -> Replayed:
    """Judge a source's readings and write every one with what was said of it.

    Args:
        source: One meter's readings.
        out: The file to write; its ending says how: .csv, .csv.gz or .parquet.
        wishes: How oddness is measured, the alarm budget and the rest days.
        progress: Told now and then what is going on.

    Raises:
        SourceError: If the ending is not known, the folder is missing, or the source cannot be
            read or holds several meters.
    """
    check_ending(out)
    if not out.parent.is_dir():
        raise SourceError(f"out: there is no folder {out.parent}; create it")
    loaded = source.load(lambda done, of: progress(f"{done:,} rows read"))
    loaded.check_readable()
    if len(loaded.meters) != 1:
        raise SourceError(f"{source.name}: expected one meter to replay, got {len(loaded.meters)}")
    meter = loaded.meters[0]
    judged = replay(
        loaded.frame.loc[:, ["ts", "value"]],
        meter,
        wishes.calendar,
        wishes.method,
        wishes.tuning,
        progress=lambda done, of: progress(f"week {done} of {of} judged"),
    )
    _write(judged, out)
    return Replayed(
        readings=len(judged),
        bad_rows=len(loaded.bad_rows),
        first_bad_row=str(loaded.bad_rows[0]) if loaded.bad_rows else "",
        repeated_rows=loaded.repeated_rows,
        learning=int(judged["learning"].sum()),
        flagged=int(judged["flagged"].sum()),
        episodes=episodes(judged, meter),
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
