"""Isolation Forests over several features, one a day type and hour of the day.

Belongs here: which rows each forest is fitted on, and passing many readings down their trees at
once. Not here: the trees (`trees`), the features (`measure`), the score (`anomaly_score`).

The result is a depth share: the mean path length at which the trees isolate a reading, divided by
the path length expected of an ordinary one. 1 is ordinary, less is rare. scikit-learn's score is
2 to the power of minus the depth share; a property test compares the two. Path lengths are rounded
so that their sum is the same in any order.

Source: Liu, Ting and Zhou, "Isolation Forest", ICDM 2008; `sklearn.ensemble._iforest`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.trees import Features, grow_trees, mean_path_lengths

TREES = 25
"""A quarter of scikit-learn's 100: more trees took longer and detected the same."""

MAX_ROWS = 256
"""Rows that one forest is fitted on, as in the paper; more are thinned evenly."""

_LEAST_ROWS = 64
_DEPTH_UNIT = 2.0**-20


@dataclass(frozen=True, eq=False)
class Forests:
    """Forests by key; the nodes of all trees lie one after the other in flat arrays.

    Attributes:
        roots: int64, shape (keys, trees): the first node of each tree; -1 for a key without a
            forest.
        feature: int64, shape (nodes,): the feature that a node compares.
        threshold: float64, shape (nodes,): values up to it go left; inf at a leaf.
        left: int64, shape (nodes,): the next node; a leaf points to itself.
        right: int64, shape (nodes,): the same.
        share: float64, shape (nodes,): the depth share of a leaf.
        levels: Number of steps after which every path has reached its leaf.
    """

    roots: npt.NDArray[np.int64]
    feature: npt.NDArray[np.int64]
    threshold: Floats
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    share: Floats
    levels: int

    def depth_shares(self, rows: Features, keys: Ints) -> Floats:
        """The depth share of each row in the forest of its key.

        Args:
            rows: float32, shape (n, features).
            keys: int64, shape (n,).

        Returns:
            float64, shape (n,): 1 is ordinary, less is rare; 1 where a key has no forest.
        """
        shares = np.ones(len(rows))
        known = np.flatnonzero(self.roots[keys, 0] >= 0)
        values = rows[known].astype(np.float64)
        node = self.roots[keys[known]]
        at = np.arange(len(known))[:, None]
        for _ in range(self.levels):
            goes_left = values[at, self.feature[node]] <= self.threshold[node]
            node = np.where(goes_left, self.left[node], self.right[node])
        shares[known] = self.share[node].sum(axis=1) / TREES
        return shares


@dataclass(frozen=True, eq=False)
class _Tree:
    feature: npt.NDArray[np.int64]
    threshold: Floats
    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    share: Floats
    levels: int


def fit_forests(rows: Features, keys: Ints, fallback: Ints, key_count: int, seed: int) -> Forests:
    """Fit one forest per key.

    A key with fewer than 64 rows takes those of all keys with its fallback; if these are also too
    few, all rows.

    Args:
        rows: Shape (n, features), finite.
        keys: Shape (n,): 0 to `key_count - 1`.
        fallback: Shape (key_count,): the group of a key.
        key_count: Number of keys.
        seed: scikit-learn's `random_state`, for every forest.
    """
    samples = [_sample(rows, keys, fallback, key) for key in range(key_count)]
    fitted: dict[bytes, list[_Tree]] = {}
    trees: list[list[_Tree]] = []
    for sample in samples:
        name = sample.tobytes()
        if name not in fitted:
            fitted[name] = _compiled(sample, seed) if len(sample) > 1 else []
        trees.append(fitted[name])
    return _packed(trees)


def _sample(rows: Features, keys: Ints, fallback: Ints, key: int) -> Features:
    chosen = np.flatnonzero(keys == key)
    if len(chosen) < _LEAST_ROWS:
        chosen = np.flatnonzero(fallback[keys] == fallback[key])
    if len(chosen) < _LEAST_ROWS:
        chosen = np.arange(len(rows))
    if len(chosen) > MAX_ROWS:
        chosen = chosen[np.arange(MAX_ROWS) * len(chosen) // MAX_ROWS]
    return np.ascontiguousarray(rows[chosen], dtype=np.float32)


def _compiled(sample: Features, seed: int) -> list[_Tree]:
    expected = mean_path_lengths(np.array([len(sample)]))[0]
    compiled: list[_Tree] = []
    for tree in grow_trees(sample, TREES, seed):
        itself = np.arange(len(tree.feature))
        compiled.append(
            _Tree(
                feature=np.where(tree.is_leaf, 0, tree.feature),
                threshold=np.where(tree.is_leaf, np.inf, tree.threshold),
                left=np.where(tree.is_leaf, itself, tree.left),
                right=np.where(tree.is_leaf, itself, tree.right),
                share=np.rint(tree.path_length / expected / _DEPTH_UNIT) * _DEPTH_UNIT,
                levels=tree.depth,
            )
        )
    return compiled


def _packed(forests: list[list[_Tree]]) -> Forests:
    roots = np.full((len(forests), TREES), -1, dtype=np.int64)
    placed: dict[int, npt.NDArray[np.int64]] = {}
    parts: list[_Tree] = []
    begin = 0
    offsets: list[int] = []
    for key, trees in enumerate(forests):
        if not trees:
            continue
        if id(trees) not in placed:
            begins = begin + np.cumsum([0, *(len(tree.feature) for tree in trees)])
            placed[id(trees)] = begins[:-1]
            offsets += begins[:-1].tolist()
            parts += trees
            begin = int(begins[-1])
        roots[key] = placed[id(trees)]
    if not parts:
        none, nothing = np.empty(0, dtype=np.int64), np.empty(0)
        return Forests(roots, none, nothing, none, none, nothing, 0)
    pairs = list(zip(parts, offsets, strict=True))
    return Forests(
        roots=roots,
        feature=np.concatenate([tree.feature for tree in parts]).astype(np.int64),
        threshold=np.concatenate([tree.threshold for tree in parts]),
        left=np.concatenate([tree.left + offset for tree, offset in pairs]).astype(np.int64),
        right=np.concatenate([tree.right + offset for tree, offset in pairs]).astype(np.int64),
        share=np.concatenate([tree.share for tree in parts]),
        levels=max(tree.levels for tree in parts),
    )
