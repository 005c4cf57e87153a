"""Isolation Forests over several features, one a day type and hour of the day.

Belongs here: which rows each tree is grown on, and passing many readings down their trees at
once. Not here: the trees (`trees`), the features (`measure`), the score (`anomaly_score`).

The result is a depth share: the mean path length at which the trees isolate a reading, divided by
the path length expected of an ordinary one. 1 is ordinary, less is rare. scikit-learn's score is
2 to the power of minus the depth share; a property test compares the two. Features and depth shares
are whole numbers of small units: a node takes four bytes, and sums are the same in any order.

One half of a forest's trees is grown on one half of the weeks, the other half on the others
(decision 33): each reading has trees that have not seen it, without a further forest. All trees
together score the readings to come.

Source: Liu, Ting and Zhou, "Isolation Forest", ICDM 2008; `sklearn.ensemble._iforest`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats, Ints
from usage_platform.core.detector.trees import grow_trees, mean_path_lengths

Features = npt.NDArray[np.int16]
Skips = npt.NDArray[np.int8 | np.int16]

TREES = 26
"""A quarter of scikit-learn's 100: more trees took longer and detected the same."""

HALVES = (slice(0, TREES // 2), slice(TREES // 2, TREES))
"""The trees that are grown on rows of the first half, and on those of the second one."""

MAX_ROWS = 32
"""Rows that one tree is grown on; more are thinned evenly. The paper's 256 detected the same, in
four times the memory and more time (decision 34)."""

SHARE_UNIT = 2.0**-13
"""Depth shares are multiples of it; none reaches 4."""

_LEAST_ROWS = 64
_INT16 = np.iinfo(np.int16)


@dataclass(frozen=True, eq=False)
class Forests:
    """Forests by key; the nodes of all trees lie one after the other in flat arrays.

    Four bytes a node: a meter has up to a hundred thousand of them, and every meter's stay in
    memory. The nodes of a tree lie depth first, left before right, so that the left child of a node
    is the next one, and a leaf's share takes the place of a threshold.

    Attributes:
        roots: int32, shape (keys, trees): the first node of each tree; -1 for a key without a
            forest.
        feature: int8, shape (nodes,): the feature that a node compares; 0 at a leaf.
        skip: int8, shape (nodes,): how many nodes ahead the right child is; 0 at a leaf. int16 for
            the larger trees of earlier releases.
        value: int16, shape (nodes,): values up to it go left; at a leaf, its depth share in
            `SHARE_UNIT`.
        levels: Number of steps after which every path has reached its leaf.
    """

    roots: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int8]
    skip: Skips
    value: npt.NDArray[np.int16]
    levels: int

    def depth_shares(self, rows: Features, keys: Ints, trees: slice = slice(None)) -> Floats:
        """The depth share of each row in the forest of its key.

        Args:
            rows: int16, shape (n, features).
            keys: int64, shape (n,).
            trees: Which trees are asked, as of `HALVES`; all by default.

        Returns:
            float64, shape (n,): 1 is ordinary, less is rare; 1 where a key has no forest.
        """
        shares = np.ones(len(rows))
        known = np.flatnonzero(self.roots[keys, 0] >= 0)
        values = rows[known]
        node = self.roots[keys[known], trees].astype(np.int64)
        at = np.arange(len(known))[:, None]
        for _ in range(self.levels):
            skip = self.skip[node]
            goes_left = values[at, self.feature[node]] <= self.value[node]
            node += np.where(goes_left & (skip > 0), 1, skip)
        total = self.value[node].sum(axis=1, dtype=np.int64)
        shares[known] = total * SHARE_UNIT / node.shape[1]
        return shares


@dataclass(frozen=True, eq=False)
class Nodes:
    """Nodes of trees as scikit-learn describes them; shape (nodes,) each.

    Attributes:
        is_leaf: bool.
        feature: The feature that an inner node compares.
        threshold: float64: values up to it go left.
        right: The position of the right child of an inner node.
        share: float64: the depth share of a leaf, below 4.
    """

    is_leaf: npt.NDArray[np.bool_]
    feature: Ints
    threshold: Floats
    right: Ints
    share: Floats


def packed_nodes(nodes: Nodes) -> tuple[npt.NDArray[np.int8], Skips, npt.NDArray[np.int16]]:
    """`feature`, `skip` and `value` of `Forests`, with which every reading goes the same way."""
    at = np.arange(len(nodes.is_leaf))
    values = packed_shares(nodes.share), packed_thresholds(nodes.threshold)
    return (
        np.where(nodes.is_leaf, 0, nodes.feature).astype(np.int8),
        packed_skips(np.where(nodes.is_leaf, 0, nodes.right - at)),
        np.where(nodes.is_leaf, *values),
    )


def packed_thresholds(threshold: Floats) -> npt.NDArray[np.int16]:
    """Thresholds rounded down: features are whole numbers, so they separate the same ones."""
    return np.clip(np.floor(threshold), _INT16.min, _INT16.max).astype(np.int16)


def packed_shares(share: Floats) -> npt.NDArray[np.int16]:
    """Depth shares in `SHARE_UNIT`."""
    return np.rint(share / SHARE_UNIT).astype(np.int16)


def packed_skips(skip: npt.NDArray[np.integer]) -> Skips:
    """`skip` of `Forests` in the smallest type that holds it."""
    is_small = skip.max(initial=0) <= np.iinfo(np.int8).max
    return skip.astype(np.int8) if is_small else skip.astype(np.int16)


@dataclass(frozen=True, eq=False)
class _HalfForest:
    """Half of a forest's trees, one after the other; `sizes` are their numbers of nodes."""

    feature: npt.NDArray[np.int8]
    skip: Skips
    value: npt.NDArray[np.int16]
    sizes: Ints
    levels: int


def fit_forests(
    rows: Features, keys: Ints, second: npt.NDArray[np.bool_], fallback: Ints, seed: int
) -> Forests:
    """Fit one forest per key, each half of its trees on one half of the rows.

    A key with fewer than 64 rows in a half takes those of all keys with its fallback; if these are
    also too few, all rows of the half. A half with fewer than 64 rows takes all rows.

    Args:
        rows: Shape (n, features).
        keys: Shape (n,): 0 to k - 1.
        second: Shape (n,): whether a row is of the second half.
        fallback: Shape (k,): the group of a key.
        seed: scikit-learn's `random_state` for the first half of every forest; that of the second
            half is the next one.
    """
    halves: list[list[_HalfForest | None]] = []
    for number, half in enumerate((~second, second)):
        chosen = half if np.count_nonzero(half) >= _LEAST_ROWS else np.ones_like(half)
        halves.append(_fit_half(rows[chosen], keys[chosen], fallback, seed + number))
    return _packed(halves)


def _fit_half(rows: Features, keys: Ints, fallback: Ints, seed: int) -> list[_HalfForest | None]:
    """By key, half of a forest; keys with the same rows share one. None with fewer than two."""
    fitted: dict[bytes, _HalfForest | None] = {}
    forests: list[_HalfForest | None] = []
    for key in range(len(fallback)):
        sample = _sample(rows, keys, fallback, key)
        name = sample.tobytes()
        if name not in fitted:
            fitted[name] = _compiled(sample, seed) if len(sample) > 1 else None
        forests.append(fitted[name])
    return forests


def _sample(rows: Features, keys: Ints, fallback: Ints, key: int) -> Features:
    chosen = np.flatnonzero(keys == key)
    if len(chosen) < _LEAST_ROWS:
        chosen = np.flatnonzero(fallback[keys] == fallback[key])
    if len(chosen) < _LEAST_ROWS:
        chosen = np.arange(len(rows))
    if len(chosen) > MAX_ROWS:
        chosen = chosen[np.arange(MAX_ROWS) * len(chosen) // MAX_ROWS]
    return rows[chosen]


def _compiled(sample: Features, seed: int) -> _HalfForest:
    trees = list(grow_trees(sample.astype(np.float32, order="C"), TREES // 2, seed))
    sizes = np.array([len(tree.is_leaf) for tree in trees])
    begins = np.cumsum(sizes) - sizes
    expected = mean_path_lengths(np.array([len(sample)]))[0]
    path_length = np.concatenate([tree.path_length for tree in trees])
    # All trees at once: tree by tree it took a fifth of the fitting.
    packed = packed_nodes(
        Nodes(
            is_leaf=np.concatenate([tree.is_leaf for tree in trees]),
            feature=np.concatenate([tree.feature for tree in trees]),
            threshold=np.concatenate([tree.threshold for tree in trees]),
            right=np.concatenate([tree.right for tree in trees]) + np.repeat(begins, sizes),
            share=path_length / expected,
        )
    )
    return _HalfForest(*packed, sizes, max(tree.depth for tree in trees))


def _packed(halves: list[list[_HalfForest | None]]) -> Forests:
    roots = np.full((len(halves[0]), TREES), -1, dtype=np.int32)
    placed: dict[int, Ints] = {}
    parts: list[_HalfForest] = []
    begin = 0
    for trees, forests in zip(HALVES, halves, strict=True):
        for key, forest in enumerate(forests):
            if forest is None:
                continue
            if id(forest) not in placed:
                placed[id(forest)] = begin + np.cumsum(forest.sizes) - forest.sizes
                parts.append(forest)
                begin += len(forest.value)
            roots[key, trees] = placed[id(forest)]
    return Forests(
        roots=roots,
        feature=np.concatenate([np.empty(0, np.int8), *(forest.feature for forest in parts)]),
        skip=np.concatenate([np.empty(0, np.int8), *(forest.skip for forest in parts)]),
        value=np.concatenate([np.empty(0, np.int16), *(forest.value for forest in parts)]),
        levels=max((forest.levels for forest in parts), default=0),
    )
