"""Robust estimators: a few faulty readings hardly change their results.

Belongs here: the scale of errors and the weights of levels. Source of the weights: Huber, "Robust
Statistics", 1981 (iteratively reweighted least squares), with a ridge penalty for levels that the
data hardly determine.
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
    """The scale of errors: 1.4826 times their median absolute value; NaN are ignored."""
    known = np.abs(errors[~np.isnan(errors)])
    return max(float(_TO_DEVIATION * np.median(known)), _LEAST_SIZE) if len(known) else 1.0


def robust_weights(
    levels: tuple[Floats, Floats], target: Floats, here: npt.NDArray[np.bool_]
) -> tuple[float, float]:
    """The weights with which two levels explain a target best, by robust regression.

    Args:
        levels: Two of shape (n,).
        target: Shape (n,); NaN are ignored.
        here: bool, shape (n,): the positions to learn from.

    Returns:
        The two weights; 0 where there is nothing to learn from.
    """
    use = here & ~np.isnan(target)
    if not use.any():
        return 0.0, 0.0
    weights = robust_regression(np.column_stack([level[use] for level in levels]), target[use])
    return float(weights[0]), float(weights[1])


def robust_regression(x: Floats, y: Floats) -> Floats:
    """The weights of the columns of `x` that explain `y` best; large errors count less.

    Args:
        x: Shape (n, columns), finite; at least one row.
        y: Shape (n,), finite.

    Returns:
        Shape (columns,); there is no intercept.
    """
    trust = np.ones(len(y))
    weights = np.zeros(x.shape[1])
    ridge = _RIDGE * len(y) * np.eye(x.shape[1])
    for _ in range(_ROUNDS):
        trusted = x * trust[:, None]
        solved = np.linalg.solve(x.T @ trusted + ridge, trusted.T @ y)
        weights = np.asarray(solved, dtype=np.float64)
        missed = np.abs(y - x @ weights)
        trust = np.minimum(1.0, _CORNER * robust_size(missed) / np.maximum(missed, _LEAST_SIZE))
    return weights
