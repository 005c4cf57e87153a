import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import IsolationForest
from sklearn.ensemble._iforest import _average_path_length

from usage_platform.core.detector.trees import grow_trees, mean_path_lengths


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 256), st.integers(1, 4), st.integers(1, 30), st.integers(0, 2**31 - 1))
def test_the_trees_are_those_of_scikit_learn(size, features, trees, seed):
    rng = np.random.default_rng(seed)
    rows = np.rint(rng.normal(0, 3, (size, features))).astype(np.float32)
    forest = IsolationForest(n_estimators=trees, max_samples=size, random_state=seed).fit(rows)
    grown = list(grow_trees(rows, trees, seed))
    assert len(grown) == trees
    for ours, estimator in zip(grown, forest.estimators_, strict=True):
        theirs = estimator.tree_
        inner = ~ours.is_leaf
        np.testing.assert_array_equal(ours.left, theirs.children_left)
        np.testing.assert_array_equal(ours.right, theirs.children_right)
        np.testing.assert_array_equal(ours.feature[inner], theirs.feature[inner])
        np.testing.assert_array_equal(ours.threshold[inner], theirs.threshold[inner])
        assert ours.depth == theirs.max_depth


def test_mean_path_lengths_are_those_of_scikit_learn_to_the_last_bit():
    sizes = np.arange(1000)
    assert mean_path_lengths(sizes).tobytes() == _average_path_length(sizes).tobytes()


@pytest.mark.parametrize("seed", [0, 42])
def test_a_path_is_as_long_as_its_edges_and_what_is_left_unsplit(seed):
    rows = np.repeat(np.arange(2, dtype=np.float32), 4).reshape(-1, 1)
    for tree in grow_trees(rows, 5, seed):
        assert tree.path_length[0] == mean_path_lengths(np.array([8]))[0]
        np.testing.assert_array_equal(
            tree.path_length[tree.is_leaf], 1.0 + mean_path_lengths(np.array([4, 4]))
        )
