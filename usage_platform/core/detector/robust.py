"""Estimates that a few faulty readings do not move.

Belongs here: sizes and weights from many errors. Source of the weights: Huber, "Robust Statistics",
1981 (iterated reweighting), with a ridge that keeps them small where the data say nothing.
"""

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats

_ROUNDS = 10
_CORNER = 1.5
_RIDGE = 1e-3
_TO_DEVIATION = 1.4826
_LEAST_SIZE = 0.01


def robust_size(errors: Floats) -> float:
    """Usual size of errors; NaN are left out."""
    known = np.abs(errors[~np.isnan(errors)])
    return max(float(_TO_DEVIATION * np.median(known)), _LEAST_SIZE) if len(known) else 1.0


def robust_weights(
    levels: tuple[Floats, Floats], target: Floats, here: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """Weights of two levels that come nearest to the target in most places.

    Args:
        levels: Two of shape (n,).
        target: Shape (n,); NaN are left out.
        here: Shape (n,): the places to learn from.
    """
    use = here & ~np.isnan(target)
    if not use.any():
        return 0.0, 0.0
    x, y = np.column_stack([level[use] for level in levels]), target[use]
    trust = np.ones(len(y))
    weights = np.zeros(2)
    ridge = _RIDGE * len(y) * np.eye(2)
    for _ in range(_ROUNDS):
        trusted = x * trust[:, None]
        weights = np.linalg.solve(x.T @ trusted + ridge, trusted.T @ y)
        missed = np.abs(y - x @ weights)
        trust = np.minimum(1.0, _CORNER * robust_size(missed) / np.maximum(missed, _LEAST_SIZE))
    return float(weights[0]), float(weights[1])
