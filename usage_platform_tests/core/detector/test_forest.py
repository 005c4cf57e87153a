import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from usage_platform.core.detector.forest import (
    HALVES,
    MAX_ROWS,
    TREES,
    Nodes,
    fit_forests,
    packed_nodes,
)
from usage_platform.core.detector.trees import grow_trees

ONE = np.zeros(1, dtype=np.int64)


def ours(rows, asked, seed=42, trees=slice(None), second=None):
    keys = np.zeros(len(rows), dtype=np.int64)
    second = keys > 0 if second is None else second
    forests = fit_forests(rows, keys, second, ONE, seed)
    return forests.depth_shares(asked, np.zeros(len(asked), dtype=np.int64), trees)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, MAX_ROWS), st.integers(1, 4), st.integers(0, 2**31 - 2))
def test_depths_are_those_of_scikit_learn(size, features, seed):
    rng = np.random.default_rng(seed)
    # Coarse values: equal readings and constant features are common on meters.
    rows = np.rint(rng.normal(0, 3, (size, features))).astype(np.float32)
    asked = np.vstack([rows, rng.normal(0, 9, (50, features)).astype(np.float32)])
    for number, trees in enumerate(HALVES):
        theirs = IsolationForest(
            n_estimators=TREES // 2, max_samples=size, random_state=seed + number
        ).fit(rows)
        np.testing.assert_allclose(
            2.0 ** -ours(rows, asked, seed, trees), -theirs.score_samples(asked), atol=1e-5
        )


@settings(max_examples=20, deadline=None)
@given(st.integers(64, 100), st.integers(64, 100), st.integers(0, 2**31 - 2))
def test_each_half_of_the_trees_has_seen_its_half_of_the_rows_alone(first, other, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 3, (first + other, 3)).astype(np.float32)
    asked = rng.normal(0, 5, (30, 3)).astype(np.float32)
    second = rng.permutation(np.arange(first + other) >= first)
    shares = [ours(rows, asked, seed, trees, second) for trees in HALVES]
    for share, trees, half in zip(shares, HALVES, (~second, second), strict=True):
        np.testing.assert_array_equal(share, ours(rows[half], asked, seed, trees))
    np.testing.assert_allclose(ours(rows, asked, seed, second=second), np.mean(shares, axis=0))


@pytest.mark.parametrize(("few", "takes_all"), [(0, True), (1, True), (63, True), (64, False)])
def test_a_half_with_few_rows_takes_all(few, takes_all):
    rows = np.random.default_rng(1).normal(0, 1, (163, 2)).astype(np.float32)
    second, trees = np.arange(163) < few, HALVES[1]
    of_all = ours(rows, rows, trees=trees)
    assert np.array_equal(ours(rows, rows, trees=trees, second=second), of_all) == takes_all


def test_a_rare_reading_is_isolated_early():
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 1, (200, 3)).astype(np.float32)
    common, rare = ours(rows, np.array([[0, 0, 0], [9, 9, 9]], dtype=np.float32))
    assert rare < 0.6 < 1.0 < common


def test_a_key_with_few_rows_takes_those_of_its_fallback():
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 1, (203, 2)).astype(np.float32)
    keys = np.array([0] * 40 + [1] * 160 + [2] * 3)
    second, fallback = np.arange(203) % 2 == 1, np.array([0, 1, 1])
    forests = fit_forests(rows, keys, second, fallback, 42)
    assert (forests.roots[2] >= 0).all()
    apart = fit_forests(rows[40:], keys[40:], second[40:], fallback, 42)
    asked, key = rows[:5], np.full(5, 2)
    np.testing.assert_array_equal(forests.depth_shares(asked, key), apart.depth_shares(asked, key))


@pytest.mark.parametrize("rows", [0, 1])
def test_without_rows_everything_is_ordinary(rows):
    assert ours(np.zeros((rows, 2), dtype=np.float32), np.ones((3, 2), np.float32)).tolist() == [
        1.0,
        1.0,
        1.0,
    ]


def test_batches_of_any_size_give_the_same_bits():
    rng = np.random.default_rng(3)
    rows, asked = (rng.normal(0, 1, (n, 4)).astype(np.float32) for n in (300, 40))
    whole = ours(rows, asked)
    np.testing.assert_array_equal(whole, np.concatenate([ours(rows, one[None]) for one in asked]))


FINITE = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.floats(-1e30, 1e30), st.lists(FINITE, min_size=1))
def test_a_packed_threshold_separates_every_float32_as_the_exact_one(threshold, asked):
    nearest = np.float32(threshold)
    around = [np.nextafter(nearest, np.float32(way)) for way in (-np.inf, np.inf)]
    asked = np.array([*asked, nearest, *around], dtype=np.float32)
    one = (np.array([item]) for item in (False, 0, threshold, 2, 0.0))
    packed = packed_nodes(Nodes(*one))[2]
    assert packed.dtype == np.float32
    np.testing.assert_array_equal(asked <= packed, asked.astype(np.float64) <= threshold)


def walked(tree, row):
    """The leaf of a row, by the nodes that scikit-learn has grown."""
    node = 0
    while not tree.is_leaf[node]:
        goes_left = row[tree.feature[node]] <= tree.threshold[node]
        node = tree.left[node] if goes_left else tree.right[node]
    return node


@settings(max_examples=20, deadline=None)
@given(st.integers(2, MAX_ROWS), st.integers(0, 2**31 - 1))
def test_every_reading_reaches_the_leaf_of_the_grown_tree(size, seed):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 3, (size, 4)).astype(np.float32)
    asked = np.vstack([rows[:20], rng.normal(0, 9, (20, 4)).astype(np.float32)])
    for tree in grow_trees(rows, 2, seed):
        leaves = np.arange(len(tree.is_leaf), dtype=np.float64)
        nodes = Nodes(tree.is_leaf, tree.feature, tree.threshold, tree.right, leaves)
        feature, skip, value = packed_nodes(nodes)
        for row in asked:
            node = 0
            while skip[node]:
                node += 1 if row[feature[node]] <= value[node] else skip[node]
            assert value[node] == walked(tree, row)


def test_a_node_takes_seven_bytes():
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 1, (MAX_ROWS, 4)).astype(np.float32)
    keys = np.zeros(MAX_ROWS, dtype=np.int64)
    forests = fit_forests(rows, keys, keys > 0, ONE, 42)
    held = forests.feature.nbytes + forests.skip.nbytes + forests.value.nbytes
    assert held == 7 * len(forests.value)
    assert len(forests.value) > TREES * 40
