"""`usage-platform replay`: a backtest of one source's readings, written to a file.

Belongs here: one source in, one file out. Not here: how readings are scored
(`core.evaluation.replay`).
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from usage_platform.core.anomalies.episode_summary import episodes
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.evaluation.replay import replay
from usage_platform.core.feedback.labels import left_out
from usage_platform.core.readings.source import ReadingSource, SourceError, SourceReadings
from usage_platform.core.time.units import instants_of
from usage_platform.services.spreadsheet_text import without_formulas

_PARQUET = (".parquet", ".pq")
_CSV = (".csv", ".csv.gz")


@dataclass(frozen=True)
class Replayed:
    """The result of a backtest.

    Attributes:
        readings: Scored readings, one row of the file each.
        bad_rows: Rows that could not be read and are not in the output.
        first_bad_row: The first of them, in words; empty without one.
        repeated_rows: Rows whose time came again further on.
        learning: Readings that were scored by rules alone, as there was too little history.
        labelled: Readings that a label kept out of training.
        flagged: Anomalous readings.
        episodes: One row an episode (`core.anomalies.episode_summary`).
    """

    readings: int
    bad_rows: int
    first_bad_row: str
    repeated_rows: int
    learning: int
    labelled: int
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
            "left out of training by a label": self.labelled,
            "repeated rows skipped": self.repeated_rows,
            f"bad rows skipped, the first {self.first_bad_row}": self.bad_rows,
        }
        return "; ".join(parts + [f"{count:,} {what}" for what, count in counts.items() if count])


def replay_source(
    source: ReadingSource,
    out: Path,
    options: TrainingOptions,
    labels: pd.DataFrame,
    progress: Callable[[str], None],
) -> Replayed:
    """Score a source's readings as the platform would have, and write a row for each.

    Args:
        source: The readings of one or more meters.
        out: The file to write; its ending says how: .csv, .csv.gz or .parquet.
        options: How models are trained.
        labels: People's labels (`core.feedback.labels.LABEL_COLUMNS`); those of other meters have
            no effect.
        progress: Called now and then with a line for people.

    Raises:
        SourceError: If the extension is unknown, the folder is missing, or the source cannot be
            read.
    """
    check_ending(out)
    if not out.parent.is_dir():
        raise SourceError(f"out: there is no folder {out.parent}; create it")
    loaded = source.load(lambda done, of: progress(f"{done:,} rows read"))
    loaded.check_readable()
    parts: list[pd.DataFrame] = []
    labelled = 0
    for meter in loaded.meters:
        own = loaded.frame.loc[loaded.frame["meter"] == meter.name, ["ts", "value"]]
        part = replay(
            own.reset_index(drop=True),
            meter,
            options,
            labels,
            progress=lambda done, of: progress(f"model {done} of {of} trained"),
        )
        labelled += int(left_out(meter.name, instants_of(part.loc[:, "ts"]), labels).sum())
        part.insert(0, "meter", meter.name)
        if not all(one.is_power for one in loaded.meters):
            part["unit"] = meter.unit.value
        if loaded.quality is not None:
            part["quality"] = part["ts"].map(_quality_by_time(loaded, meter.name)).fillna("")
        parts.append(part)
    scored = pd.concat(parts, ignore_index=True)
    _write(scored, out)
    found = [episodes(part, meter) for part, meter in zip(parts, loaded.meters, strict=True)]
    return Replayed(
        readings=len(scored),
        bad_rows=len(loaded.bad_rows),
        first_bad_row=str(loaded.bad_rows[0]) if loaded.bad_rows else "",
        repeated_rows=loaded.repeated_rows,
        learning=int(scored["learning"].sum()),
        labelled=labelled,
        flagged=int(scored["flagged"].sum()),
        episodes=pd.concat([one for one in found if len(one)] or found[:1], ignore_index=True),
    )


def _quality_by_time(loaded: SourceReadings, meter: str) -> pd.Series:
    """The quality flags of one meter's readings, by their time."""
    own = (loaded.frame["meter"] == meter).to_numpy()
    flags = pd.Series(loaded.quality, dtype=object)[own]
    return flags.set_axis(loaded.frame.loc[own, "ts"])


def check_ending(out: Path) -> None:
    """Check the extension before any work is done.

    Raises:
        SourceError: If the extension is unknown.
    """
    if not out.name.endswith((*_CSV, *_PARQUET)):
        known = ", ".join((*_CSV, *_PARQUET))
        raise SourceError(f"out: {out.name} has an unknown extension; expected one of {known}")


def _write(scored: pd.DataFrame, out: Path) -> None:
    """Write a file as a whole: what breaks it off, as a full disk does, leaves the former one."""
    whole = out.resolve()
    if whole.exists() and not whole.is_file():  # A pipe, say.
        _write_into(scored, out)
        return
    part = whole.with_name(f".{os.getpid()}.part-{whole.name}")
    try:
        _write_into(scored, part)
        if whole.exists():
            shutil.copymode(whole, part)
        part.replace(whole)
    finally:
        part.unlink(missing_ok=True)


def _write_into(scored: pd.DataFrame, out: Path) -> None:
    if out.name.endswith(_PARQUET):
        scored.to_parquet(out, index=False)
    else:
        without_formulas(scored).to_csv(
            out, index=False, date_format="%Y-%m-%dT%H:%M:%SZ", float_format="%.6g"
        )
