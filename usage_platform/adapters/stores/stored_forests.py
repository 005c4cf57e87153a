"""The forests of a detector as columns of its row, exact to the last bit.

Belongs here: the nodes as bytes, and reading the nodes that earlier versions stored. Not here: the
rest of a row (`detector_rows`).

A list of numbers in Parquet has a level for each item: to read the nodes of a detector as lists
took six times as long as to read their bytes.
"""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.features import UNIT
from usage_platform.core.detector.forest import (
    Forests,
    Nodes,
    packed_nodes,
    packed_shares,
    packed_skips,
    packed_thresholds,
)

NODE_TYPES = {
    "node_feature": np.dtype("<i1"),
    "node_skip": np.dtype("<i2"),
    "node_value": np.dtype("<i2"),
}
"""The columns of the nodes, and the numbers that the bytes of each are."""

_RUN = 3  # the only feature that is no deviation


def nodes_as_bytes(forests: Forests) -> dict[str, bytes]:
    """The nodes of forests by column."""
    arrays = forests.feature, forests.skip, forests.value
    return {
        name: array.astype(kind).tobytes()
        for (name, kind), array in zip(NODE_TYPES.items(), arrays, strict=True)
    }


def forests_of_row(row: pa.Table, roots: npt.NDArray[np.int32], levels: int) -> Forests:
    """The forests of a row.

    Args:
        row: One row; a model of an earlier version has lists in place of bytes.
        roots: As of `Forests`.
        levels: The same.
    """
    if not NODE_TYPES.keys() <= set(row.column_names):
        return _of_lists(row, roots, levels)
    feature, skip, value = (_numbers(row, name) for name in NODE_TYPES)
    return Forests(roots, feature, packed_skips(skip), value, levels)


def list_items(row: pa.Table, column: str) -> npt.NDArray[Any]:
    """The numbers of a row's list."""
    return row[column].combine_chunks().flatten().to_numpy(zero_copy_only=False)


def _numbers(row: pa.Table, column: str) -> npt.NDArray[Any]:
    return np.frombuffer(row[column][0].as_buffer(), NODE_TYPES[column])


def _of_lists(row: pa.Table, roots: npt.NDArray[np.int32], levels: int) -> Forests:
    """The forests that earlier versions stored as lists: a threshold or a share for each node."""
    feature, skip = list_items(row, "feature"), list_items(row, "skip")
    is_leaf = skip == 0
    value = np.empty(len(skip), dtype=np.int16)
    value[is_leaf] = packed_shares(list_items(row, "share").astype(np.float64))
    threshold = list_items(row, "threshold").astype(np.float64)
    value[~is_leaf] = packed_thresholds(_in_units(threshold, feature[~is_leaf]))
    return Forests(roots, feature, packed_skips(skip), value, levels)


def forests_of_nodes(nodes: Nodes, roots: npt.NDArray[np.int32], levels: int) -> Forests:
    """The forests that the first versions stored, with nodes as scikit-learn describes them."""
    in_units = replace(nodes, threshold=_in_units(nodes.threshold, nodes.feature))
    feature, skip, value = packed_nodes(in_units)
    return Forests(roots, feature, skip, value, levels)


def _in_units(threshold: Floats, feature: npt.NDArray[np.int8] | Ints) -> Floats:
    """Thresholds of deviations in the units of `Measured.rows`.

    A deviation within 1/1024 of a threshold may go the other way than in the earlier version
    (decision 34).
    """
    return np.where(feature < _RUN, threshold / UNIT, threshold)
