"""Reads the models that earlier releases wrote: tables of all meters' detectors side by side.

Belongs here: the detectors of such a model. Not here: how detectors are written now
(`detector_rows`).
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.detector_rows import (
    Described,
    detector_of,
    slot_forests_of,
)
from usage_platform.adapters.stores.stored_forests import forests_of_nodes
from usage_platform.core.detector.forest import Forests, Nodes
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.meters import Meter

DESCRIPTIONS = "detectors.json"
"""What is not an array of a model's detectors; a model that has it was written by an earlier
release."""

_SLOTS, _STEPS, _ARRAYS, _NODES = "slots", "steps", "arrays", "nodes"
_NODE_COLUMNS = ("feature", "threshold", "right", "share")


def former_detectors(files: LakeFiles, version: str) -> dict[str, Callable[[], Detector]]:
    """A model's detectors by meter, each read when it is asked for."""
    described: list[Described] = files.read_json(f"{version}/{DESCRIPTIONS}") or []
    return {
        one["meter"]["name"]: lambda one=one: _detector(files, version, one) for one in described
    }


def _detector(files: LakeFiles, version: str, described: Described) -> Detector:
    meter = Meter(**described["meter"])

    def table(name: str) -> pa.Table:
        with files.open_input(f"{version}/{name}.parquet") as source:
            return pq.read_table(source, filters=pc.field("meter") == meter.name)

    if "method" not in described:
        return slot_forests_of(meter, _slot_arrays(table(_SLOTS), table(_STEPS)))
    arrays: dict[str, npt.NDArray[Any]] = {
        row["name"]: np.array(row["values"], dtype=np.float64).reshape(row["shape"])
        for row in table(_ARRAYS).to_pylist()
    }
    levels = described["levels"]
    forests = None if levels is None else _forests(levels, arrays, table(_NODES))
    return detector_of(described, arrays, forests)


def _slot_arrays(slots: pa.Table, steps: pa.Table) -> Mapping[str, npt.NDArray[Any]]:
    return {
        "comparables": slots["comparables"].to_numpy(),
        "low": slots["expected_low"].to_numpy(),
        "high": slots["expected_high"].to_numpy(),
        "steps": slots["steps"].to_numpy(),
        "cut": steps["cut"].to_numpy(),
        "score": steps["score"].to_numpy(),
    }


def _forests(levels: int, arrays: Mapping[str, npt.NDArray[Any]], nodes: pa.Table) -> Forests:
    column = {name: nodes[name].to_numpy() for name in _NODE_COLUMNS}
    as_grown = Nodes(
        is_leaf=np.isinf(column["threshold"]),
        feature=column["feature"],
        threshold=column["threshold"],
        right=column["right"],
        share=column["share"],
    )
    return forests_of_nodes(as_grown, arrays["roots"].astype(np.int32), levels)
