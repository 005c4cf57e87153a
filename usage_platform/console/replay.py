"""`usage-platform replay`: backtest the detector on a source.

Belongs here: one source in, one file out. Not here: how readings are scored
(`core.evaluation.replay`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from usage_platform.core.anomalies.episodes import episodes
from usage_platform.core.evaluation.replay import replay
from usage_platform.core.readings.source import ReadingSource, SourceError
from usage_platform.services.train import Wishes

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz")


@dataclass(frozen=True)
class Replayed:
    """The result of a backtest.

    Attributes:
        readings: Scored readings; one row of the file each.
        bad_rows: Unreadable rows, left out of the output.
        first_bad_row: Message about the first of them; empty without one.
        repeated_rows: Rows superseded by a later row with the same time.
        learning: Readings checked by rules only, because there was too little history.
        flagged: Anomalous readings.
        episodes: One row per episode (`core.anomalies.episodes`).
    """

    readings: int
    bad_rows: int
    first_bad_row: str
    repeated_rows: int
    learning: int
    flagged: int
    episodes: pd.DataFrame

    def in_words(self) -> str:
        """A one-line summary."""
        parts = [
            f"{self.readings:,} readings scored",
            f"{self.flagged:,} anomalies in {len(self.episodes):,} episodes",
        ]
        counts = {
            "checked by rules only (too little history)": self.learning,
            "repeated rows skipped": self.repeated_rows,
            f"bad rows skipped, the first {self.first_bad_row}": self.bad_rows,
        }
        return "; ".join(parts + [f"{count:,} {what}" for what, count in counts.items() if count])


def replay_source(
    source: ReadingSource,
    out: Path,
    wishes: Wishes,
    progress: Callable[[str], None],
) -> Replayed:
    """Score a source's readings and write one row per reading.

    Args:
        source: One meter's readings.
        out: The file to write; its extension selects the format: .csv, .csv.gz or .parquet.
        wishes: How oddness is measured, the alarm budget and the rest days.
        progress: Called now and then with a progress message.

    Raises:
        SourceError: If the extension is unknown, the folder is missing, or the source cannot be
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
        progress=lambda done, of: progress(f"week {done} of {of} scored"),
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
    """Check the extension before any work is done.

    Raises:
        SourceError: If the extension is unknown.
    """
    if not out.name.endswith((*_CSV, *_PARQUET)):
        known = ", ".join((*_CSV, *_PARQUET))
        raise SourceError(f"out: {out.name} has an unknown extension; expected one of {known}")


def _write(judged: pd.DataFrame, out: Path) -> None:
    if out.name.endswith(_PARQUET):
        judged.to_parquet(out, index=False)
    else:
        judged.to_csv(out, index=False, date_format="%Y-%m-%dT%H:%M:%SZ", float_format="%.6g")
