import json
from dataclasses import replace

import numpy as np
import pytest

from usage_platform.adapters.stores.detector_rows import SCHEMA, from_row, to_row
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import train
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
        *("roots", "feature", "skip", "threshold", "share"),
        *("comparables", "low", "high", "steps", "cut", "score"),
    ]
    read = from_row(row)
    assert (read.threshold, read.flatline_after) == (model.threshold, model.flatline_after)


def test_an_inner_node_has_a_threshold_and_a_leaf_a_share():
    model = train(*library(70), HOURLY, TrainingOptions(NO_CALENDAR), MONDAY + 70 * DAY)
    row = to_row("m", model)
    inner, leaves = (len(row[name][0].as_py()) for name in ("threshold", "share"))
    assert inner + leaves == len(model.forests.value)
    assert leaves == int((model.forests.skip == 0).sum())


@pytest.mark.parametrize("trees", [1, 25])
def test_a_forest_of_any_number_of_trees_is_read_as_it_was_written(trees):
    """Earlier releases grew 25."""
    model = train(*library(70), HOURLY, TrainingOptions(NO_CALENDAR), MONDAY + 70 * DAY)
    forests = replace(model.forests, roots=np.ascontiguousarray(model.forests.roots[:, :trees]))
    read = from_row(to_row("m", replace(model, forests=forests))).forests
    np.testing.assert_array_equal(read.roots, forests.roots)
    rows = np.random.default_rng(0).normal(0, 3, (50, 4)).astype(np.float32)
    keys = np.arange(50) % len(forests.roots)
    np.testing.assert_array_equal(read.depth_shares(rows, keys), forests.depth_shares(rows, keys))
