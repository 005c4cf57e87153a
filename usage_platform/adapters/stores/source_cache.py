"""The loaded source, kept under the lake's `assets/`: what playback plays.

Belongs here: writing and reading the readings of a source as Parquet, with what is known of them.
Not here: reading the source itself (`sources`).
"""

import json
from dataclasses import asdict, dataclass

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from usage_platform.adapters.lake.files import LakeFiles, load_meters, save_meters
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceReadings

_FOLDER = "source_readings"
_READINGS, _FAULTS = f"{_FOLDER}/readings.parquet", f"{_FOLDER}/faults.parquet"
_BAD_ROWS, _SUMMARY = f"{_FOLDER}/bad_rows.json", f"{_FOLDER}/summary.json"
_NOT_LOADED = "no source was loaded yet: materialize source_readings first"


@dataclass(frozen=True)
class SourceSummary:
    """What is known of the loaded source without reading its readings.

    Attributes:
        source: Which source it is, with its settings.
        readings: Distinct readings.
        repeated_rows: Rows that said the same meter and time again.
        bad_rows: Rows that could not be read.
        last: Each meter's newest reading, ISO 8601 in UTC.
    """

    source: str
    readings: int
    repeated_rows: int
    bad_rows: int
    last: dict[str, str]


class SourceCache:
    """The loaded source of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    def save(self, source: str, loaded: SourceReadings, default: Meter) -> SourceSummary:
        """Keep a loaded source in the place of the one before, and make its meters known."""
        last = loaded.frame.groupby("meter")["ts"].max()
        summary = SourceSummary(
            source=source,
            readings=len(loaded.frame),
            repeated_rows=loaded.repeated_rows,
            bad_rows=len(loaded.bad_rows),
            last={str(meter): ts.isoformat() for meter, ts in last.items()},
        )
        registry = load_meters(self._assets, default).with_meters(loaded.meters)
        save_meters(self._assets, registry)
        self._write(_READINGS, loaded.frame)
        faults = loaded.faults if loaded.faults is not None else pd.DataFrame()
        self._write(_FAULTS, faults)
        bad_rows = [asdict(row) for row in loaded.bad_rows]
        self._assets.write_text(_BAD_ROWS, json.dumps(bad_rows, indent=1))
        # Last: whoever finds the summary finds the rest.
        self._assets.write_text(_SUMMARY, json.dumps(asdict(summary), indent=1))
        return summary

    def summary(self) -> SourceSummary | None:
        """What was loaded; None before the first load."""
        told = self._assets.read_json(_SUMMARY)
        return SourceSummary(**told) if told else None

    def readings(self) -> pd.DataFrame:
        """The readings: `meter`, `ts` (datetime64[ns, UTC]), `value`; by ts, then meter.

        Raises:
            FileNotFoundError: Before the first load.
        """
        if self.summary() is None:
            raise FileNotFoundError(_NOT_LOADED)
        return self._read(_READINGS)

    def count(self, since: pd.Timestamp | None) -> int:
        """How many readings there are from a time on, or in all; at most times are read.

        Raises:
            FileNotFoundError: Before the first load.
        """
        summary = self.summary()
        if summary is None:
            raise FileNotFoundError(_NOT_LOADED)
        if since is None:
            return summary.readings
        with self._assets.open_input(_READINGS) as source:
            times = pq.read_table(source, columns=["ts"]).column("ts").to_numpy()
        return int((times >= since.to_datetime64()).sum())

    def faults(self) -> pd.DataFrame:
        """The labelled faults of generated readings; empty for others."""
        return self._read(_FAULTS)

    def _write(self, name: str, frame: pd.DataFrame) -> None:
        with self._assets.open_output(name) as out:
            pq.write_table(pa.Table.from_pandas(frame, preserve_index=False), out)

    def _read(self, name: str) -> pd.DataFrame:
        with self._assets.open_input(name) as source:
            return pq.read_table(source).to_pandas()
