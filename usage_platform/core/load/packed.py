"""A power series as few bytes: what the page loads for a year.

Belongs here: the form on the wire and its reverse. Not here: which part is sent (`web`).

The form: a uint32 with the length of a header, the header (JSON, blanks at its end so that what
follows begins at a multiple of four), then each column of it. A column holds, for each interval
from `start` on, by how many `scale` kW it differs from the one before that has a value; the least
number of its type stands for an interval without one. All is little-endian. Power moves in steps of
the meter's resolution, so that the differences are few and compress well.
"""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats
from usage_platform.core.load.series import PowerSeries

_SCALES = (1.0, 0.1, 0.01, 0.001)
_BAND_PARTS = 1000
_EXACT = 1e-6
_S = 10**9

Differences = npt.NDArray[np.signedinteger[Any]]
"""How much each interval differs from the one before that has a value, in steps of a scale."""


@dataclass(frozen=True, eq=False)
class Unpacked:
    """What a packed series holds.

    Attributes:
        header: The header.
        columns: Each column's values, kW, one an interval; NaN where there is none.
    """

    header: dict[str, Any]
    columns: dict[str, Floats]


def pack(series: PowerSeries) -> bytes:
    """A series in packed form.

    `value` is exact to a watt (0.001 kW); `low` and `high` to about a
    thousandth of the largest power, which is less than a screen shows.
    """
    step = series.interval_ns
    start = int(series.instants[0]) if len(series) else 0
    places = (series.instants - start) // step
    size = int(places[-1]) + 1 if len(series) else 0
    band = _band_scale(series.values)
    scales = {"value": _scale_of(series.values), "low": band, "high": band}
    columns: list[Differences] = []
    described: list[dict[str, object]] = []
    for name, values in (("value", series.values), ("low", series.low), ("high", series.high)):
        placed = np.full(size, np.nan)
        placed[places] = values
        column = _differences(placed, scales[name])
        columns.append(column)
        described.append({"name": name, "type": column.dtype.name, "scale": scales[name]})
    header: dict[str, object] = {
        "meter": series.meter.name,
        "start": start // _S,
        "step": step // _S,
        "size": size,
        "columns": described,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    bodies = [_filled(column.tobytes()) for column in columns]
    return b"".join([len(text).to_bytes(4, "little"), text, *bodies])


def _filled(column: bytes) -> bytes:
    return column + b"\0" * (-len(column) % 4)


def unpack(packed: bytes) -> Unpacked:
    """The reverse of `pack`."""
    length = int.from_bytes(packed[:4], "little")
    header = json.loads(packed[4 : 4 + length])
    at = 4 + length
    columns: dict[str, Floats] = {}
    for column in header["columns"]:
        kind = np.dtype(column["type"]).newbyteorder("<")
        raw = np.frombuffer(packed, kind, header["size"], at)
        at += raw.nbytes + -raw.nbytes % 4
        lacks = raw == np.iinfo(kind).min
        sums = np.cumsum(np.where(lacks, 0, raw).astype(np.int64))
        columns[column["name"]] = np.where(lacks, np.nan, sums * column["scale"])
    return Unpacked(header, columns)


def _scale_of(values: Floats) -> float:
    """The coarsest scale that keeps the values as they are; the finest where none does."""
    for scale in _SCALES:
        if np.all(np.abs(np.rint(values / scale) * scale - values) < _EXACT):
            return scale
    return _SCALES[-1]


def _band_scale(values: Floats) -> float:
    largest = float(np.nanmax(np.abs(values))) if len(values) else 0.0
    return next((scale for scale in _SCALES if scale * _BAND_PARTS <= largest), _SCALES[-1])


def _differences(placed: Floats, scale: float) -> Differences:
    known = np.isfinite(placed)
    steps = np.rint(placed[known] / scale).astype(np.int64)
    moves = np.diff(steps, prepend=0)
    most = int(np.abs(moves).max()) if len(moves) else 0
    kind = np.int16 if most <= np.iinfo(np.int16).max else np.int32
    out = np.full(len(placed), np.iinfo(kind).min, dtype=np.dtype(kind).newbyteorder("<"))
    out[known] = moves
    return out
