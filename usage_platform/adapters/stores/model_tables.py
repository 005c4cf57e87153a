"""Detectors as Arrow tables and JSON, exact to the last bit, never a pickle.

Belongs here: taking detectors apart and putting them together. Not here: files (`model_store`).
"""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from usage_platform.core.detector.baseline.slot_forests import SlotForests
from usage_platform.core.detector.forest import Forests, Nodes, packed_nodes
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.detector.model import Baseline, DetectorModel
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.residuals import Weights
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar

SLOTS, STEPS, ARRAYS, NODES = "slots", "steps", "arrays", "nodes"
"""The tables of a model."""

_NODE_TYPES = {
    "feature": pa.int8(),
    "threshold": pa.float64(),
    "left": pa.int32(),
    "right": pa.int32(),
    # A multiple of 2 to the power of -20 below 16: 24 bits hold it.
    "share": pa.float32(),
}
_BASELINE_ARRAYS = ("expected", "spread", "long_spread", "short_spread", "week_spread")

Described = dict[str, Any]


def to_tables(detectors: Mapping[str, Detector]) -> tuple[list[Described], dict[str, pa.Table]]:
    """Detectors as descriptions for JSON and tables by name."""
    described, parts = [], {name: [] for name in (SLOTS, STEPS, ARRAYS, NODES)}
    for name, detector in detectors.items():
        if isinstance(detector, SlotForests):
            described.append({"meter": asdict(detector.meter)})
            parts[SLOTS].append(_slots(name, detector))
            parts[STEPS].append(_steps(name, detector))
        else:
            described.append(_described(detector))
            parts[ARRAYS].append(_arrays(name, detector))
            if detector.forests is not None:
                parts[NODES].append(_nodes(name, detector.forests))
    return described, {name: pa.concat_tables(tables) for name, tables in parts.items() if tables}


def from_tables(described: list[Described], tables: Mapping[str, pa.Table]) -> dict[str, Detector]:
    """Detectors from what `to_tables` made of them."""
    found: dict[str, Detector] = {}
    for one in described:
        meter = Meter(**one["meter"])
        own = {name: _of(table, meter.name) for name, table in tables.items()}
        if "method" in one:
            found[meter.name] = _detector(one, meter, own)
        else:
            found[meter.name] = _slot_forests(meter, own[SLOTS], own[STEPS])
    return found


def _of(table: pa.Table, meter: str) -> pa.Table:
    return table.filter(pc.call_function("equal", [table["meter"], meter]))


def _described(detector: DetectorModel) -> Described:
    options, base = detector.options, detector.baseline
    calendar = options.calendar
    return {
        "meter": asdict(detector.meter),
        "method": options.method.value,
        # The names that the first versions gave them.
        "tuning": {
            "false_alarms_per_week": options.false_alarms_per_week,
            "least_share": options.minimum_relative_deviation,
        },
        "country": calendar.country,
        "subdivision": calendar.subdivision,
        "closed": [day.isoformat() for day in calendar.closed],
        "until": detector.until,
        "days_learned": detector.days_learned,
        "days_left": detector.days_left,
        "bar": None if base is None else detector.threshold,
        "stuck_after": detector.flatline_after,
        "until_day": None if base is None else base.until_day,
        "weights": None if base is None else asdict(base.weights),
        "long_calm": None if base is None else base.long_noise,
        "short_calm": None if base is None else base.short_noise,
        "levels": None if detector.forests is None else detector.forests.levels,
    }


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
    columns = {
        "feature": forests.feature,
        "threshold": np.where(is_leaf, np.inf, forests.value.astype(np.float64)),
        "left": np.where(is_leaf, at, at + 1),
        "right": at + forests.skip,
        "share": np.where(is_leaf, forests.value, np.float32(0)),
    }
    typed = {field: pa.array(columns[field]).cast(kind) for field, kind in _NODE_TYPES.items()}
    return pa.table({"meter": pa.array([name] * len(at), pa.string()), **typed})


def _detector(one: Described, meter: Meter, own: Mapping[str, pa.Table]) -> DetectorModel:
    arrays = {
        row["name"]: np.array(row["values"], dtype=np.float64).reshape(row["shape"])
        for row in own[ARRAYS].to_pylist()
    }
    return DetectorModel(
        meter=meter,
        options=TrainingOptions(
            calendar=Calendar(
                one["country"], one["subdivision"], tuple(map(date.fromisoformat, one["closed"]))
            ),
            method=Method(one["method"]),
            false_alarms_per_week=one["tuning"]["false_alarms_per_week"],
            minimum_relative_deviation=one["tuning"]["least_share"],
        ),
        until=one["until"],
        days_learned=one["days_learned"],
        days_left=one["days_left"],
        baseline=None if one["until_day"] is None else _baseline(one, arrays),
        forests=None if one["levels"] is None else _forests(one["levels"], arrays, own[NODES]),
        threshold=np.inf if one["bar"] is None else one["bar"],
        flatline_after=one["stuck_after"],
        zeros_are_usual=arrays["zeros_are_usual"].astype(np.bool_),
    )


def _baseline(one: Described, arrays: Mapping[str, np.ndarray]) -> Baseline:
    weights: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in one["weights"].items()
    }
    return Baseline(
        until_day=one["until_day"],
        weights=Weights(**weights),
        long_noise=one["long_calm"],
        short_noise=one["short_calm"],
        **{name: arrays[name] for name in _BASELINE_ARRAYS},
    )


def _forests(levels: int, arrays: Mapping[str, np.ndarray], nodes: pa.Table) -> Forests:
    threshold = nodes["threshold"].to_numpy()
    feature, skip, value = packed_nodes(
        Nodes(
            is_leaf=np.isinf(threshold),
            feature=nodes["feature"].to_numpy(),
            threshold=threshold,
            right=nodes["right"].to_numpy(),
            share=nodes["share"].to_numpy(),
        )
    )
    return Forests(arrays["roots"].astype(np.int32), feature, skip, value, levels)


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


def _slot_forests(meter: Meter, slots: pa.Table, steps: pa.Table) -> SlotForests:
    lengths = slots["steps"].to_numpy()
    return SlotForests(
        meter=meter,
        comparables=slots["comparables"].to_numpy(),
        low=slots["expected_low"].to_numpy(),
        high=slots["expected_high"].to_numpy(),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        cuts=steps["cut"].to_numpy(),
        scores=steps["score"].to_numpy(),
    )
