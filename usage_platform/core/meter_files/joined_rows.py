"""The blocks of a table as one, so that a table of ten million rows is held once.

Belongs here: putting blocks together. Not here: reading a block (`rows`).
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from usage_platform.core.meter_files.growing_column import GrowingColumn
from usage_platform.core.meter_files.rows import TypedRows
from usage_platform.core.meter_files.times import Times
from usage_platform.core.readings.source import BadRow


class JoinedRows:
    """The rows of one table, to which blocks are added in the order of the file."""

    def __init__(self) -> None:
        self._numbers = GrowingColumn(np.dtype(np.int32))
        self._times = GrowingColumn(np.dtype("datetime64[ns]"))
        self._is_instant = GrowingColumn(np.dtype(np.bool_))
        self._values = GrowingColumn(np.dtype(np.float64))
        self._meters = GrowingColumn(np.dtype(np.int32))
        self._positions: dict[str, int] = {}
        self._end_wall: list[Times | None] = []
        self._end_instants: list[Times | None] = []
        self._quality: list[npt.NDArray[np.object_] | None] = []
        self._bad_rows: list[BadRow] = []
        self._row_count = 0
        self._ends_of_day = 0
        self._hours: dict[str, dict[int, int]] = {}

    def add(self, block: TypedRows) -> None:
        """Add the next block."""
        positions = [self._positions.setdefault(n, len(self._positions)) for n in block.names]
        self._numbers.add(block.numbers)
        self._times.add(block.times)
        self._is_instant.add(block.is_instant)
        self._values.add(block.values)
        self._meters.add(np.array(positions, dtype=np.int32)[block.meters])
        self._end_wall.append(block.end_wall)
        self._end_instants.append(block.end_instants)
        self._quality.append(block.quality)
        self._bad_rows += block.bad_rows
        self._row_count += block.row_count
        self._ends_of_day += block.ends_of_day
        for meter, days in block.hours.items():
            own = self._hours.setdefault(meter, {})
            own.update({day: own.get(day, 0) | hours for day, hours in days.items()})

    def rows(self, bad_rows: Sequence[BadRow] = ()) -> TypedRows:
        """All rows; nothing may be added afterwards.

        Args:
            bad_rows: Further rows that could not even be split.
        """
        return TypedRows(
            self._numbers.array(),
            self._times.array(),
            self._is_instant.array(),
            self._values.array(),
            self._meters.array(),
            tuple(self._positions),
            _ends(self._end_wall),
            _ends(self._end_instants),
            tuple(sorted([*self._bad_rows, *bad_rows], key=lambda row: row.row)),
            self._row_count + len(bad_rows),
            self._ends_of_day,
            _flags(self._quality),
            self._hours,
        )


def _ends(parts: Sequence[Times | None]) -> Times | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if len(given) == len(parts) and given else None


def _flags(parts: Sequence[npt.NDArray[np.object_] | None]) -> npt.NDArray[np.object_] | None:
    given = [part for part in parts if part is not None]
    return np.concatenate(given) if given else None
