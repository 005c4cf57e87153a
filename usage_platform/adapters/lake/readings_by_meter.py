"""The table `readings` by meter, of all meters one after the other.

Belongs here: dividing rows among their meters without holding the table. Not here: what is made of
a meter's readings (`services.score_state`).

A day's file has rows of all meters. Memory holds 24 bytes of each row that counts, and some rows as
the table has them; a frame of all rows took ten times as much.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from usage_platform.adapters.lake.day_filters import between
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.row_filters import of_meters
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.core.arrays import Floats, Int32s, Ints
from usage_platform.core.time.units import instants_of

_COLUMNS = ["event_time", "value", "kafka_time", "partition", "offset"]
ROWS_AT_ONCE = 1_000_000
"""Rows that are divided among their meters at a time, about 100 MB with what that takes."""


@dataclass(frozen=True, eq=False)
class ArrivedReadings:
    """Readings of one meter, in any order; arrays of n.

    Attributes:
        instants: int64, interval starts, ns since 1970 UTC.
        values: float64, kW.
        arrived: int64, when the broker had them, ns since 1970 UTC.
    """

    instants: Ints
    values: Floats
    arrived: Ints


def readings_by_meter(
    reader: LakeReader,
    first: date,
    meters: Sequence[str] | None,
    counts: Callable[[pd.DataFrame], pd.Series],
) -> Iterator[tuple[str, ArrivedReadings]]:
    """The readings of each meter.

    Args:
        reader: The lake's tables.
        first: The first UTC date to read.
        meters: Only these meters; None for all.
        counts: Whether each row counts, from `event_time` and `kafka_time` (UTC), `value`,
            `partition` and `offset`.

    Returns:
        Each meter once, by name, with its readings; those that were returned are no longer held.

    Raises:
        LakeError: When the table does not exist yet, or cannot be read.
    """
    chosen = None if meters is None else of_meters(meters)
    pieces = _Pieces()
    for batch in reader.scan(
        READINGS, ["meter", *_COLUMNS], between(READINGS, first, None), chosen
    ):
        rows = batch.select(_COLUMNS).to_pandas()
        pieces.add(batch.column("meter").dictionary_encode(), rows[counts(rows)])
    yield from pieces.by_meter()


@dataclass
class _Pieces:
    """Rows that wait to be divided, and the parts of each meter of those that were."""

    _codes: dict[str, int] = field(default_factory=dict[str, int])
    _parts: dict[str, list[ArrivedReadings]] = field(
        default_factory=dict[str, list[ArrivedReadings]]
    )
    _waiting: list[tuple[Int32s, ArrivedReadings]] = field(
        default_factory=list[tuple[Int32s, ArrivedReadings]]
    )
    _rows: int = 0

    def add(self, meters: pa.DictionaryArray, rows: pd.DataFrame) -> None:
        """Add rows; their labels are the positions of their meters."""
        if rows.empty:
            return
        names = meters.dictionary.to_pylist()
        known = np.array(
            [self._codes.setdefault(name, len(self._codes)) for name in names], np.int32
        )
        codes = known[meters.indices.to_numpy()[rows.index.to_numpy()]]
        readings = ArrivedReadings(
            instants_of(rows["event_time"]),
            rows["value"].to_numpy(float),
            instants_of(rows["kafka_time"]),
        )
        self._waiting.append((codes, readings))
        self._rows += len(codes)
        if self._rows >= ROWS_AT_ONCE:
            self._divide()

    def by_meter(self) -> Iterator[tuple[str, ArrivedReadings]]:
        """Each meter with its readings, by name."""
        self._divide()
        for name in sorted(self._parts):
            yield name, _joined(self._parts.pop(name))

    def _divide(self) -> None:
        if not self._waiting:
            return
        codes = np.concatenate([code for code, _ in self._waiting])
        rows = _joined([readings for _, readings in self._waiting])
        self._waiting.clear()
        self._rows = 0
        names = list(self._codes)
        order = np.argsort(codes, kind="stable")
        for part in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
            one = ArrivedReadings(rows.instants[part], rows.values[part], rows.arrived[part])
            self._parts.setdefault(names[codes[part[0]]], []).append(one)


def _joined(parts: list[ArrivedReadings]) -> ArrivedReadings:
    return ArrivedReadings(
        np.concatenate([part.instants for part in parts]),
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.arrived for part in parts]),
    )
