import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from usage_platform.adapters.stores.detector_rows import SCHEMA, from_row, to_row
from usage_platform.core.detector.features import UNIT
from usage_platform.core.detector.forest import SHARE_UNIT
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import train
from usage_platform.core.meters import Meter
from usage_platform_tests.core.detector.series import DAY, HOURLY, MONDAY, NO_CALENDAR, library


def test_the_names_of_what_is_stored_do_not_follow_the_names_of_fields():
    model = train(*library(70), HOURLY, TrainingOptions(NO_CALENDAR), MONDAY + 70 * DAY)
    row = to_row("m", model)
    described = json.loads(row["detector"][0].as_py())
    assert set(described) == {
        *("meter", "method", "tuning", "country", "subdivision", "closed", "until"),
        *("days_learned", "days_left", "bar", "stuck_after", "until_day", "weights"),
        *("long_calm", "short_calm", "levels"),
    }
    assert set(described["weights"]) == {
        *("slow", "daily", "quick", "slow_spread", "daily_spread"),
    }
    assert row.column_names == SCHEMA.names
    assert SCHEMA.names == [
        *("meter", "detector", "zeros_are_usual"),
        *("expected", "spread", "long_spread", "short_spread", "week_spread"),
        *("roots", "comparables", "low", "high", "steps", "cut", "score"),
        *("node_feature", "node_skip", "node_value"),
    ]
    read = from_row(row)
    assert (read.threshold, read.flatline_after) == (model.threshold, model.flatline_after)


def former_row(row, forests, rng):
    """The row in which an earlier version stored forests: lists, thresholds of deviations."""
    is_leaf = forests.skip == 0
    inner = forests.feature[~is_leaf] < 3
    # Any threshold between two features separates the same ones.
    threshold = forests.value[~is_leaf] + rng.uniform(0.0, 0.9, np.count_nonzero(~is_leaf))
    lists = {
        "feature": (forests.feature, pa.int8()),
        "skip": (forests.skip, pa.int16()),
        "threshold": (np.where(inner, threshold * UNIT, threshold), pa.float32()),
        "share": (forests.value[is_leaf] * SHARE_UNIT, pa.float32()),
    }
    for name, (values, kind) in lists.items():
        row = row.append_column(name, pa.array([values.tolist()], pa.list_(kind)))
    return row.drop_columns(["node_feature", "node_skip", "node_value"])


def test_the_lists_of_an_earlier_version_are_read_as_the_same_forests():
    model = train(*library(70), HOURLY, TrainingOptions(NO_CALENDAR), MONDAY + 70 * DAY)
    forests = model.forests
    read = from_row(former_row(to_row("m", model), forests, np.random.default_rng(0))).forests
    for name in ("roots", "feature", "skip", "value"):
        np.testing.assert_array_equal(getattr(read, name), getattr(forests, name))
        assert getattr(read, name).dtype == getattr(forests, name).dtype


@pytest.mark.parametrize("trees", [1, 25])
def test_a_forest_of_any_number_of_trees_is_read_as_it_was_written(trees):
    """Earlier releases grew 25."""
    model = train(*library(70), HOURLY, TrainingOptions(NO_CALENDAR), MONDAY + 70 * DAY)
    forests = replace(model.forests, roots=np.ascontiguousarray(model.forests.roots[:, :trees]))
    read = from_row(to_row("m", replace(model, forests=forests))).forests
    np.testing.assert_array_equal(read.roots, forests.roots)
    rows = np.random.default_rng(0).integers(-3000, 3000, (50, 4)).astype(np.int16)
    keys = np.arange(50) % len(forests.roots)
    np.testing.assert_array_equal(read.depth_shares(rows, keys), forests.depth_shares(rows, keys))


def test_trees_of_an_earlier_version_with_more_rows_are_read_as_they_were_grown(monkeypatch):
    monkeypatch.setattr("usage_platform.core.detector.forest.MAX_ROWS", 256)
    meter = Meter("m", "America/New_York", 5)
    readings = library(70, meter=meter)
    model = train(*readings, meter, TrainingOptions(NO_CALENDAR), MONDAY + 70 * DAY)
    assert model.forests.skip.dtype == np.int16
    row = to_row("m", model)
    rng = np.random.default_rng(0)
    rows = rng.integers(-3000, 3000, (200, 4)).astype(np.int16)
    keys = np.arange(200) % len(model.forests.roots)
    expected = model.forests.depth_shares(rows, keys)
    for stored in (row, former_row(row, model.forests, rng)):
        np.testing.assert_array_equal(from_row(stored).forests.depth_shares(rows, keys), expected)
