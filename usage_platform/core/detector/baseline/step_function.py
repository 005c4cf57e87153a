"""One-dimensional Isolation Forests, each compiled into the step function that is its score.

Belongs here: the step function of one slot's forest. Not here: its trees (`core.detector.trees`),
the slots (`slot_forests`). A property test compares the scores with scikit-learn's `score_samples`,
bit for bit.
"""

from dataclasses import dataclass

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.trees import grow_trees, mean_path_lengths

MAX_SAMPLES = 256
"""scikit-learn's `max_samples="auto"`; with more values a forest would draw from them."""


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
    grown = [
        # Leaves stand from left to right, so that each belongs to one stretch between thresholds.
        (np.sort(tree.threshold[~tree.is_leaf]), tree.path_length[tree.is_leaf])
        for tree in grow_trees(sample, trees, seed)
    ]
    cuts = np.unique(np.concatenate([thresholds for thresholds, _ in grown]))
    ends = np.append(cuts, np.inf)
    length = np.zeros(len(ends))
    # In the order of the trees, as scikit-learn does: the last bit of a sum depends on it.
    for thresholds, lengths in grown:
        length += lengths[np.searchsorted(thresholds, ends, side="left")]
    expected = mean_path_lengths(np.array([len(sample)]))[0]
    scores = 2 ** -(length / (trees * expected))
    keep = np.append(scores[1:] != scores[:-1], True)
    return StepFunction(ends[keep], scores[keep])
