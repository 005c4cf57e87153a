"""One-dimensional Isolation Forests, fitted as scikit-learn fits them, without its overhead.

Belongs here: the fit of one slot's forest and its exact step function. A week has 2,016 slots, and
`IsolationForest.fit` spends 145 ms on each, nearly all of it on validating and cloning a hundred
estimators; the trees themselves take 4 ms. The trees here come from scikit-learn's own builder with
the seeds that `IsolationForest(random_state=...)` would use, so they are the same trees; a property
test holds the scores equal to `score_samples`, bit for bit.

Source: Liu, Ting and Zhou, "Isolation Forest", ICDM 2008; `sklearn.ensemble._iforest`.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

MAX_SAMPLES = 256
"""scikit-learn's `max_samples="auto"`; with more values a forest would draw from them."""

_INT32_MAX = np.iinfo(np.int32).max

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class StepFunction:
    """A one-dimensional forest's score: constant between cuts.

    Attributes:
        cuts: Ascending upper ends of the steps, kW, the last is +inf; a value x lies in the first
            step with x <= cut, after x was rounded to float32 as scikit-learn does.
        scores: A step's score, 0 to 1, higher = more anomalous (scikit-learn's with its sign
            turned); same length.
    """

    cuts: Floats
    scores: Floats

    def __call__(self, values: Floats) -> Floats:
        """The score of each value (kW)."""
        rounded = values.astype(np.float32).astype(np.float64)
        return self.scores[np.searchsorted(self.cuts, rounded, side="left")]


def fit_step_function(values: Floats, trees: int, seed: int) -> StepFunction:
    """Fit `IsolationForest(n_estimators=trees, random_state=seed)` and compile it.

    Args:
        values: 2 to `MAX_SAMPLES` finite values, kW; the newest are used when there are more.
        trees: Number of trees.
        seed: scikit-learn's `random_state`.

    Returns:
        The step function whose value is `-score_samples` everywhere.
    """
    sample = values[-MAX_SAMPLES:].astype(np.float32).reshape(-1, 1)
    grown = _grow(sample, trees, seed)
    cuts = np.unique(np.concatenate([thresholds for thresholds, _ in grown]))
    ends = np.append(cuts, np.inf)
    depth = np.zeros(len(ends))
    # In the forest's own order: the last bit of a sum depends on it.
    for thresholds, leaves in grown:
        depth += leaves[np.searchsorted(thresholds, ends, side="left")]
    scores = 2 ** -(depth / (trees * _average_path_length(len(sample))))
    keep = np.append(scores[1:] != scores[:-1], True)
    return StepFunction(ends[keep], scores[keep])


def _grow(sample: npt.NDArray[np.float32], trees: int, seed: int) -> list[tuple[Floats, Floats]]:
    """Each tree's thresholds, ascending, and its leaves' path lengths, left to right."""
    from sklearn.tree._criterion import MSE
    from sklearn.tree._splitter import RandomSplitter
    from sklearn.tree._tree import DepthFirstTreeBuilder, Tree

    n = len(sample)
    target = np.random.RandomState(seed).uniform(size=n).reshape(-1, 1)
    weights = np.ones(n)
    max_depth = int(np.ceil(np.log2(max(n, 2))))
    path_lengths = np.array([_average_path_length(size) for size in range(n + 1)])
    one_output = np.array([1], dtype=np.intp)
    grown = []
    random = np.random.RandomState(0)
    for tree_seed in _tree_seeds(trees, seed):
        random.seed(tree_seed)  # much cheaper than a new RandomState
        splitter = RandomSplitter(MSE(1, n), 1, 1, 0.0, random, None)
        tree = Tree(1, one_output, 1)
        DepthFirstTreeBuilder(splitter, 2, 1, 0.0, max_depth, 0.0).build(
            tree, sample, target, weights, None
        )
        is_leaf = tree.children_left == -1
        depths = tree.compute_node_depths()[is_leaf]
        # The builder goes depth first and left first: leaves stand from left to right.
        leaves = depths + path_lengths[tree.n_node_samples[is_leaf]] - 1.0
        grown.append((np.sort(tree.threshold[~is_leaf]), leaves))
    return grown


@lru_cache(maxsize=8)
def _tree_seeds(trees: int, seed: int) -> tuple[int, ...]:
    seeds = np.random.RandomState(seed).randint(_INT32_MAX, size=trees)
    return tuple(int(np.random.RandomState(s).randint(_INT32_MAX)) for s in seeds)


def _average_path_length(n: int) -> float:
    if n <= 1:
        return 0.0
    if n == 2:
        return 1.0
    return float(2.0 * (np.log(n - 1.0) + np.euler_gamma) - 2.0 * (n - 1.0) / n)
