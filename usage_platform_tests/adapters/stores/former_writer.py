"""Writes a model as releases before this one did, for tests that read it."""

import json
from dataclasses import asdict

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.detector_rows import description
from usage_platform.core.detector.baseline.slot_forests import SlotForests
from usage_platform.core.detector.features import UNIT
from usage_platform.core.detector.forest import SHARE_UNIT, Forests
from usage_platform.core.detector.manifest import Model
from usage_platform.core.detector.model import DetectorModel

SLOTS, STEPS, ARRAYS, NODES = "slots", "steps", "arrays", "nodes"
LATER_FIELDS = ("meters_failed", "days_left")

_NODE_TYPES = {
    "feature": pa.int8(),
    "threshold": pa.float64(),
    "left": pa.int32(),
    "right": pa.int32(),
    "share": pa.float32(),
}
_BASELINE_ARRAYS = ("expected", "spread", "long_spread", "short_spread", "week_spread")


def to_tables(detectors):
    """Detectors as descriptions for JSON and tables by name."""
    described, parts = [], {name: [] for name in (SLOTS, STEPS, ARRAYS, NODES)}
    for name, detector in detectors.items():
        if isinstance(detector, SlotForests):
            described.append({"meter": asdict(detector.meter)})
            parts[SLOTS].append(_slots(name, detector))
            parts[STEPS].append(_steps(name, detector))
        else:
            described.append(description(detector))
            parts[ARRAYS].append(_arrays(name, detector))
            if detector.forests is not None:
                parts[NODES].append(_nodes(name, detector.forests))
    return described, {name: pa.concat_tables(tables) for name, tables in parts.items() if tables}


def _arrays(name: str, detector: DetectorModel) -> pa.Table:
    arrays: dict[str, np.ndarray] = {"zeros_are_usual": detector.zeros_are_usual}
    if detector.baseline is not None:
        arrays |= {field: getattr(detector.baseline, field) for field in _BASELINE_ARRAYS}
    if detector.forests is not None:
        arrays["roots"] = detector.forests.roots
    return pa.table(
        {
            "meter": pa.array([name] * len(arrays), pa.string()),
            "name": list(arrays),
            "shape": pa.array([list(a.shape) for a in arrays.values()], pa.list_(pa.int64())),
            "values": pa.array(
                [a.astype(np.float64).ravel() for a in arrays.values()], pa.list_(pa.float64())
            ),
        }
    )


def _nodes(name: str, forests: Forests) -> pa.Table:
    at = np.arange(len(forests.skip))
    is_leaf = forests.skip == 0
    units = np.where(forests.feature < 3, UNIT, 1.0)
    columns = {
        "feature": forests.feature,
        "threshold": np.where(is_leaf, np.inf, forests.value * units),
        "left": np.where(is_leaf, at, at + 1),
        "right": at + forests.skip,
        "share": np.where(is_leaf, forests.value * SHARE_UNIT, 0.0),
    }
    typed = {field: pa.array(columns[field]).cast(kind) for field, kind in _NODE_TYPES.items()}
    return pa.table({"meter": pa.array([name] * len(at), pa.string()), **typed})


def _slots(name: str, forest: SlotForests) -> pa.Table:
    count = len(forest.comparables)
    return pa.table(
        {
            "meter": pa.array([name] * count, pa.string()),
            "slot": np.arange(count),
            "comparables": forest.comparables,
            "expected_low": forest.low,
            "expected_high": forest.high,
            "steps": np.diff(forest.starts),
        }
    )


def _steps(name: str, forest: SlotForests) -> pa.Table:
    return pa.table(
        {
            "meter": pa.array([name] * len(forest.cuts), pa.string()),
            "cut": forest.cuts,
            "score": forest.scores,
        }
    )


def save_former(files: LakeFiles, model: Model) -> None:
    version = model.manifest.version
    described, tables = to_tables(model.detectors)
    for name, table in tables.items():
        with files.open_output(f"{version}/{name}.parquet") as out:
            pq.write_table(table, out, compression="zstd")
    files.write_text(f"{version}/detectors.json", json.dumps(described, indent=1))
    manifest = {k: v for k, v in model.manifest.as_dict().items() if k not in LATER_FIELDS}
    files.write_text(f"{version}/manifest.json", json.dumps(manifest, indent=1))
