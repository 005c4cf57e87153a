"""The readings of parts that were read one after the other, as those of one source.

Belongs here: putting parts together within the memory of one. Not here: reading a part
(`described_files`).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.arrays import Floats, Int32s, Ints
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import BadRow, SourceReadings
from usage_platform.core.time.units import instants_of

_Number = TypeVar("_Number", bound=np.generic)


class JoinedReadings:
    """Readings of one source, to which those of its parts are added.

    Of ten million rows there is no room for the frames of all parts and the one of the source: a
    part leaves its columns, which are joined one at a time.
    """

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}
        self._meters: list[Int32s] = []
        self._starts: list[Ints] = []
        self._values: list[Floats] = []
        self._parts: list[SourceReadings] = []

    def add(self, part: SourceReadings) -> SourceReadings:
        """Add the readings of a part.

        Returns:
            What is left of it: all but its rows.
        """
        codes, names = pd.factorize(part.frame["meter"])
        code_of = [self._codes.setdefault(str(name), len(self._codes)) for name in names]
        self._meters.append(np.array(code_of, dtype=np.int32)[codes])
        self._starts.append(instants_of(part.frame.loc[:, "ts"]).copy())
        self._values.append(part.frame["value"].to_numpy(np.float64, copy=True))
        left = replace(part, frame=part.frame.iloc[:0].copy())
        self._parts.append(left)
        return left

    def readings(self, bad: Sequence[BadRow], count: int) -> SourceReadings:
        """The readings of all parts by time and meter; nothing may be added afterwards.

        Args:
            bad: Rows that no part has reported.
            count: The rows of the source, bad ones included.
        """
        names = np.array(list(self._codes), dtype=object)
        rank = names.argsort().argsort().astype(np.int32)
        sizes = [len(one) for one in self._starts]
        starts, meters = _taken(self._starts), _taken(self._meters)
        order: Ints = np.lexsort((rank[meters], starts))
        starts = starts[order]
        values = _taken(self._values)[order]
        meters = meters[order]
        quality = self._quality(sizes, order)
        del order
        columns = {
            "meter": names[meters],
            "ts": pd.DatetimeIndex(starts.view("datetime64[ns]"), tz="UTC"),
            "value": values,
        }
        parts = self._parts
        return replace(
            parts[0],
            frame=pd.DataFrame(columns, copy=False),
            meters=_meters(parts),
            bad_rows=_sorted([*bad, *chain.from_iterable(part.bad_rows for part in parts)]),
            repeated_rows=sum(part.repeated_rows for part in parts),
            source_rows=count,
            quality=quality,
        )

    def _quality(self, sizes: Sequence[int], order: Ints) -> tuple[str, ...] | None:
        if all(part.quality is None for part in self._parts):
            return None
        flags = chain.from_iterable(
            part.quality or ("",) * size for part, size in zip(self._parts, sizes, strict=True)
        )
        return tuple(np.array(list(flags), dtype=object)[order])


def _taken(columns: list[npt.NDArray[_Number]]) -> npt.NDArray[_Number]:
    """One column of all parts, in place of theirs."""
    joined = np.concatenate(columns)
    columns.clear()
    return joined


def _sorted(rows: Sequence[BadRow]) -> tuple[BadRow, ...]:
    """Bad rows by file and number."""
    place = {file: at for at, file in enumerate(dict.fromkeys(row.file for row in rows))}
    return tuple(sorted(rows, key=lambda row: (place[row.file], row.row)))


def _meters(parts: Sequence[SourceReadings]) -> tuple[Meter, ...]:
    """The meters of all parts, each once: one is net if it is so in any version."""
    found: dict[str, Meter] = {}
    for meter in chain.from_iterable(part.meters for part in parts):
        if meter.is_net or meter.name not in found:
            found[meter.name] = meter
    return tuple(found.values())
