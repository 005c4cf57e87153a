"""A detector as one row of a table, exact to the last bit, never a pickle.

Belongs here: taking detectors apart and putting them together. Not here: files (`detector_files`),
the tables that earlier releases wrote (`former_models`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from usage_platform.adapters.stores.stored_forests import (
    NODE_TYPES,
    forests_of_row,
    list_items,
    nodes_as_bytes,
)
from usage_platform.core.detector.anomaly_score import DAY_TYPE_OF_KEY
from usage_platform.core.detector.baseline.slot_forests import SlotForests
from usage_platform.core.detector.forest import Forests
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.detector.model import Baseline, DetectorModel
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.residuals import Weights
from usage_platform.core.detector.week_profile import WeekProfile, slot_profile
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar

Described = dict[str, Any]
"""What is not an array of a detector, for JSON."""

Arrays = Mapping[str, npt.NDArray[Any]]

BASELINE_ARRAYS = ("expected", "spread", "long_spread", "short_spread", "week_spread")

_ITEMS = {
    "zeros_are_usual": pa.bool_(),
    **dict.fromkeys(BASELINE_ARRAYS, pa.float64()),
    "roots": pa.int32(),
    "comparables": pa.int64(),
    "low": pa.float64(),
    "high": pa.float64(),
    "steps": pa.int64(),
    "cut": pa.float64(),
    "score": pa.float64(),
}

SCHEMA = pa.schema(
    [
        pa.field("meter", pa.string(), nullable=False),
        pa.field("detector", pa.string(), nullable=False),
        *(pa.field(name, pa.list_(item)) for name, item in _ITEMS.items()),
        *(pa.field(name, pa.binary()) for name in NODE_TYPES),
    ]
)
"""A row a detector: the meter's name, a description in JSON, the arrays of its kind of detector and
the nodes of its trees; what it does not have is null."""

DICTIONARY_COLUMNS = [
    "meter",
    "detector",
    *(f"{name}.list.element" for name, item in _ITEMS.items() if item != pa.bool_()),
]


def to_row(name: str, detector: Detector) -> pa.Table:
    """A meter's detector as a table of one row, by `SCHEMA`."""
    nodes: dict[str, bytes] = {}
    if isinstance(detector, SlotForests):
        described, arrays = {"meter": detector.meter.as_stored()}, _slot_arrays(detector)
    else:
        described, arrays = description(detector), _arrays(detector)
        nodes = {} if detector.forests is None else nodes_as_bytes(detector.forests)
    values = {
        column: None if column not in arrays else pa.array(arrays[column].ravel(), item)
        for column, item in _ITEMS.items()
    }
    columns = [
        pa.array([None], pa.list_(_ITEMS[column]))
        if items is None
        else pa.ListArray.from_arrays(pa.array([0, len(items)], pa.int32()), items)
        for column, items in values.items()
    ]
    texts = [pa.array([text], pa.string()) for text in (name, json.dumps(described))]
    trees = [pa.array([nodes.get(column)], pa.binary()) for column in NODE_TYPES]
    return pa.table([*texts, *columns, *trees], schema=SCHEMA)


def from_row(row: pa.Table) -> Detector:
    """The detector of a table of one row that `to_row` has made, or an earlier release."""
    described: Described = json.loads(row["detector"][0].as_py())
    arrays = {column: list_items(row, column) for column in _ITEMS if row[column].null_count == 0}
    if "method" not in described:
        return slot_forests_of(Meter(**described["meter"]), arrays)
    forests, levels = None, described["levels"]
    if levels is not None:
        # Earlier releases grew another number of trees.
        roots = arrays["roots"].reshape(len(DAY_TYPE_OF_KEY), -1)
        forests = forests_of_row(row, roots, levels)
    return detector_of(described, arrays, forests)


PROFILE_COLUMNS = ["meter", "detector", "expected", "low", "high"]
"""The columns that `profile_from_row` reads: a small part of a row."""


def profile_from_row(row: pa.Table) -> WeekProfile | None:
    """The expected values of a row's detector; None while it is learning.

    Args:
        row: A table of one row with `PROFILE_COLUMNS`.
    """
    described: Described = json.loads(row["detector"][0].as_py())
    meter = Meter(**described["meter"])
    if "method" not in described:
        return slot_profile(meter, list_items(row, "low"), list_items(row, "high"))
    if described["until_day"] is None:
        return None
    steps = 24 * meter.readings_per_hour
    expected = list_items(row, "expected").reshape(-1, 7, steps)
    return WeekProfile(meter, _calendar(described), described["until_day"], expected)


def description(detector: DetectorModel) -> Described:
    """All of a detector but its arrays, as JSON takes it."""
    options, base = detector.options, detector.baseline
    calendar = options.calendar
    return {
        "meter": detector.meter.as_stored(),
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


def _arrays(detector: DetectorModel) -> dict[str, npt.NDArray[Any]]:
    arrays: dict[str, npt.NDArray[Any]] = {"zeros_are_usual": detector.zeros_are_usual}
    if detector.baseline is not None:
        arrays |= {field: getattr(detector.baseline, field) for field in BASELINE_ARRAYS}
    if detector.forests is not None:
        arrays["roots"] = detector.forests.roots
    return arrays


def detector_of(described: Described, arrays: Arrays, forests: Forests | None) -> DetectorModel:
    """A detector from its description, the arrays of its baseline (of any shape), its forests."""
    return DetectorModel(
        meter=Meter(**described["meter"]),
        options=TrainingOptions(
            calendar=_calendar(described),
            method=Method(described["method"]),
            false_alarms_per_week=described["tuning"]["false_alarms_per_week"],
            minimum_relative_deviation=described["tuning"]["least_share"],
        ),
        until=described["until"],
        days_learned=described["days_learned"],
        days_left=described["days_left"],
        baseline=None if described["until_day"] is None else _baseline(described, arrays),
        forests=forests,
        threshold=np.inf if described["bar"] is None else described["bar"],
        flatline_after=described["stuck_after"],
        zeros_are_usual=arrays["zeros_are_usual"].astype(np.bool_).reshape(3, -1),
    )


def _calendar(described: Described) -> Calendar:
    closed = tuple(map(date.fromisoformat, described["closed"]))
    return Calendar(described["country"], described["subdivision"], closed)


def _baseline(described: Described, arrays: Arrays) -> Baseline:
    weights: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in described["weights"].items()
    }
    by_type = {name: arrays[name].reshape(3, -1) for name in BASELINE_ARRAYS[1:]}
    steps = by_type["spread"].shape[1]
    return Baseline(
        until_day=described["until_day"],
        weights=Weights(**weights),
        long_noise=described["long_calm"],
        short_noise=described["short_calm"],
        expected=arrays["expected"].reshape(-1, 7, steps),
        **by_type,
    )


def _slot_arrays(forest: SlotForests) -> dict[str, npt.NDArray[Any]]:
    return {
        "comparables": forest.comparables,
        "low": forest.low,
        "high": forest.high,
        "steps": np.diff(forest.starts),
        "cut": forest.cuts,
        "score": forest.scores,
    }


def slot_forests_of(meter: Meter, arrays: Arrays) -> SlotForests:
    """The blog's forests of a meter from their arrays."""
    return SlotForests(
        meter=meter,
        comparables=arrays["comparables"],
        low=arrays["low"],
        high=arrays["high"],
        starts=np.concatenate([[0], np.cumsum(arrays["steps"])]).astype(np.int64),
        cuts=arrays["cut"],
        scores=arrays["score"],
    )
