import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest

from usage_platform.core.detector.forest import (
    HALVES,
    MAX_ROWS,
    SHARE_UNIT,
    TREES,
    Nodes,
    fit_forests,
    packed_nodes,
    packed_skips,
    packed_thresholds,
)
from usage_platform.core.detector.measure import LARGEST_FEATURE
from usage_platform.core.detector.trees import grow_trees

ONE = np.zeros(1, dtype=np.int64)


def drawn(rng, spread, shape):
    """Features: whole numbers, as of `Measured.rows`."""
    sizes = np.clip(rng.normal(0, spread, shape), -LARGEST_FEATURE, LARGEST_FEATURE)
    return np.rint(sizes).astype(np.int16)


def ours(rows, asked, seed=42, trees=slice(None), second=None):
    keys = np.zeros(len(rows), dtype=np.int64)
    second = keys > 0 if second is None else second
    forests = fit_forests(rows, keys, second, ONE, seed)
    return forests.depth_shares(asked, np.zeros(len(asked), dtype=np.int64), trees)


@settings(max_examples=30, deadline=None)
@given(st.integers(2, MAX_ROWS), st.integers(1, 4), st.integers(0, 2**31 - 2))
def test_depths_are_those_of_scikit_learn(size, features, seed):
    rng = np.random.default_rng(seed)
    # Coarse values too: equal readings and constant features are common on meters.
    spread = rng.choice([3, 1000])
    rows = drawn(rng, spread, (size, features))
    asked = np.vstack([rows, drawn(rng, 3 * spread, (50, features))])
    for number, trees in enumerate(HALVES):
        theirs = IsolationForest(
            n_estimators=TREES // 2, max_samples=size, random_state=seed + number
        ).fit(rows)
        np.testing.assert_allclose(
            2.0 ** -ours(rows, asked, seed, trees), -theirs.score_samples(asked), atol=SHARE_UNIT
        )


@settings(max_examples=20, deadline=None)
@given(st.integers(64, 100), st.integers(64, 100), st.integers(0, 2**31 - 2))
def test_each_half_of_the_trees_has_seen_its_half_of_the_rows_alone(first, other, seed):
    rng = np.random.default_rng(seed)
    rows, asked = drawn(rng, 300, (first + other, 3)), drawn(rng, 500, (30, 3))
    second = rng.permutation(np.arange(first + other) >= first)
    shares = [ours(rows, asked, seed, trees, second) for trees in HALVES]
    for share, trees, half in zip(shares, HALVES, (~second, second), strict=True):
        np.testing.assert_array_equal(share, ours(rows[half], asked, seed, trees))
    np.testing.assert_allclose(ours(rows, asked, seed, second=second), np.mean(shares, axis=0))


@pytest.mark.parametrize(("few", "takes_all"), [(0, True), (1, True), (63, True), (64, False)])
def test_a_half_with_few_rows_takes_all(few, takes_all):
    rows = drawn(np.random.default_rng(1), 300, (163, 2))
    second, trees = np.arange(163) < few, HALVES[1]
    of_all = ours(rows, rows, trees=trees)
    assert np.array_equal(ours(rows, rows, trees=trees, second=second), of_all) == takes_all


def test_a_rare_reading_is_isolated_early():
    rng = np.random.default_rng(0)
    rows = drawn(rng, 1000, (200, 3))
    common, rare = ours(rows, np.array([[0, 0, 0], [9000, 9000, 9000]], dtype=np.int16))
    assert rare < 0.75 < 1.0 < common


def test_a_key_with_few_rows_takes_those_of_its_fallback():
    rng = np.random.default_rng(0)
    rows = drawn(rng, 1000, (203, 2))
    keys = np.array([0] * 40 + [1] * 160 + [2] * 3)
    second, fallback = np.arange(203) % 2 == 1, np.array([0, 1, 1])
    forests = fit_forests(rows, keys, second, fallback, 42)
    assert (forests.roots[2] >= 0).all()
    apart = fit_forests(rows[40:], keys[40:], second[40:], fallback, 42)
    asked, key = rows[:5], np.full(5, 2)
    np.testing.assert_array_equal(forests.depth_shares(asked, key), apart.depth_shares(asked, key))


@pytest.mark.parametrize("rows", [0, 1])
def test_without_rows_everything_is_ordinary(rows):
    found = ours(np.zeros((rows, 2), dtype=np.int16), np.ones((3, 2), dtype=np.int16))
    assert found.tolist() == [1.0, 1.0, 1.0]


def test_batches_of_any_size_give_the_same_bits():
    rng = np.random.default_rng(3)
    rows, asked = (drawn(rng, 1000, (n, 4)) for n in (300, 40))
    whole = ours(rows, asked)
    np.testing.assert_array_equal(whole, np.concatenate([ours(rows, one[None]) for one in asked]))


@given(
    st.floats(-1e30, 1e30) | st.floats(-40_000, 40_000) | st.integers(-40_000, 40_000).map(float)
)
def test_a_packed_threshold_separates_every_feature_as_the_exact_one(threshold):
    asked = np.arange(-LARGEST_FEATURE, LARGEST_FEATURE + 1)
    packed = packed_thresholds(np.array([threshold]))
    assert packed.dtype == np.int16
    np.testing.assert_array_equal(asked <= packed, asked <= threshold)


@pytest.mark.parametrize(("largest", "kind"), [(0, np.int8), (127, np.int8), (128, np.int16)])
def test_a_skip_has_the_smallest_type_that_holds_it(largest, kind):
    """The trees of earlier releases had up to 511 nodes."""
    packed = packed_skips(np.array([0, largest]))
    assert (packed.dtype, packed.tolist()) == (kind, [0, largest])


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
    rows = drawn(rng, 1000, (size, 4))
    asked = np.vstack([rows[:20], drawn(rng, 3000, (20, 4))])
    for tree in grow_trees(rows.astype(np.float32), 2, seed):
        leaves = SHARE_UNIT * np.arange(len(tree.is_leaf))
        nodes = Nodes(tree.is_leaf, tree.feature, tree.threshold, tree.right, leaves)
        feature, skip, value = packed_nodes(nodes)
        for row in asked:
            node = 0
            while skip[node]:
                node += 1 if row[feature[node]] <= value[node] else skip[node]
            assert value[node] == walked(tree, row)


def test_a_node_takes_four_bytes():
    rows = drawn(np.random.default_rng(0), 1000, (MAX_ROWS, 4))
    keys = np.zeros(MAX_ROWS, dtype=np.int64)
    forests = fit_forests(rows, keys, keys > 0, ONE, 42)
    held = forests.feature.nbytes + forests.skip.nbytes + forests.value.nbytes
    assert held == 4 * len(forests.value)
    assert len(forests.value) > TREES * 20
