# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false
"""The trees of an Isolation Forest, grown by scikit-learn's tree builder.

Belongs here: seeds, trees and path lengths. Not here: what a forest's trees are compiled to
(`forest`, `baseline.step_function`).

`IsolationForest.fit` spends nearly all its time on validating and cloning estimators (decision 4).
Called directly, with the seeds that `IsolationForest(random_state=...)` would use, the builder
grows the same trees. It is not public, so scikit-learn is pinned, and tests compare the trees and
both forests with scikit-learn's.

Source: Liu, Ting and Zhou, "Isolation Forest", ICDM 2008; `sklearn.ensemble._iforest`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints

_INT32_MAX = np.iinfo(np.int32).max
_LEAF = -1


@dataclass(frozen=True, eq=False)
class Tree:
    """One tree; its nodes stand depth first, left before right.

    Attributes:
        is_leaf: bool, shape (nodes,).
        feature: int64, shape (nodes,): the column that an inner node compares.
        threshold: float64, shape (nodes,): values up to it go left.
        left: int64, shape (nodes,): the next node; -1 at a leaf.
        right: int64, shape (nodes,); -1 at a leaf.
        path_length: float64, shape (nodes,): edges from the root to a node, plus the mean path
            length of a tree of the node's rows.
        depth: The largest number of edges from the root to a leaf.
    """

    is_leaf: npt.NDArray[np.bool_]
    feature: Ints
    threshold: Floats
    left: Ints
    right: Ints
    path_length: Floats
    depth: int


def grow_trees(rows: npt.NDArray[np.float32], trees: int, seed: int) -> Iterator[Tree]:
    """The trees of `IsolationForest(n_estimators=trees, random_state=seed)` on all rows.

    Args:
        rows: Shape (n, features), finite, contiguous; 2 rows or more, and no more than
            scikit-learn's `max_samples`.
        trees: Number of trees.
        seed: scikit-learn's `random_state`.
    """
    from sklearn.tree._criterion import MSE
    from sklearn.tree._splitter import RandomSplitter
    from sklearn.tree._tree import DepthFirstTreeBuilder
    from sklearn.tree._tree import Tree as SklearnTree

    size, features = rows.shape
    target = np.random.RandomState(seed).uniform(size=size).reshape(-1, 1)
    weights = np.ones(size)
    max_depth = int(np.ceil(np.log2(max(size, 2))))
    one_output = np.array([1], dtype=np.intp)
    mean_lengths = mean_path_lengths(np.arange(size + 1))
    random = np.random.RandomState(0)
    for tree_seed in _tree_seeds(trees, seed):
        random.seed(tree_seed)  # much cheaper than a new RandomState
        splitter = RandomSplitter(MSE(1, size), 1, 1, 0.0, random, None)
        grown = SklearnTree(features, one_output, 1)
        DepthFirstTreeBuilder(splitter, 2, 1, 0.0, max_depth, 0.0).build(
            grown, rows, target, weights, None
        )
        yield Tree(
            is_leaf=grown.children_left == _LEAF,
            feature=grown.feature,
            threshold=grown.threshold,
            left=grown.children_left,
            right=grown.children_right,
            # scikit-learn counts nodes on the path, the paper counts edges.
            path_length=grown.compute_node_depths() + mean_lengths[grown.n_node_samples] - 1.0,
            depth=int(grown.max_depth),
        )


def mean_path_lengths(sizes: Ints) -> Floats:
    """Mean path length of an unsuccessful search in a binary tree of so many rows."""
    many = np.maximum(sizes, 3).astype(np.float64)
    long = 2.0 * (np.log(many - 1.0) + np.euler_gamma) - 2.0 * (many - 1.0) / many
    return np.where(sizes <= 1, 0.0, np.where(sizes == 2, 1.0, long))


@lru_cache(maxsize=8)
def _tree_seeds(trees: int, seed: int) -> tuple[int, ...]:
    draws = np.random.RandomState(seed).randint(_INT32_MAX, size=trees)
    return tuple(int(np.random.RandomState(draw).randint(_INT32_MAX)) for draw in draws)
