"""Residuals: what is left of a reading's deviation when the levels of its past are taken away.

Belongs here: the chain deviation -> slow residual -> daily residual -> quick residual, the same one
for training, which learns the weights on its way, and for scoring, which knows them. Not here: the
levels (`features`), the estimators (`robust`), one reading at a time (`stepwise.deviations`).
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.features import (
    daily_levels,
    quick_levels,
    rounded,
    slow_levels,
)
from usage_platform.core.detector.grid import Grid

Levels = tuple[Floats, Floats]
"""Two levels of the past at each place, in spreads."""

Stage = Literal["slow", "daily", "quick"]
"""A step of the chain: its levels are those of weeks, days or hours."""


@dataclass(frozen=True)
class Weights:
    """How much of each level of the past carries over to a reading.

    Attributes:
        slow: Weights of the last week's level and of the last days of the same type.
        daily: Weights of the last 24 hours' level and of yesterday at this time.
        quick: Weights of the last two hours' and the last half hour's level.
        slow_spread: Usual size of the slow residual, in spreads.
        daily_spread: Usual size of the daily residual, in spreads.
    """

    slow: tuple[float, float]
    daily: tuple[float, float]
    quick: tuple[float, float]
    slow_spread: float
    daily_spread: float


class WeightSource(Protocol):
    """Where the chain takes its weights from."""

    def of_levels(self, stage: Stage, levels: Levels, target: Floats) -> tuple[float, float]:
        """The weights of a stage's two levels.

        Args:
            stage: The stage.
            levels: Its levels, shape (n,) each.
            target: Shape (n,): what the weighted levels are to explain; NaN where unknown.
        """
        ...

    def spread(self, stage: Stage, residual: Floats) -> float:
        """The usual size of a stage's residual (shape (n,), NaN where unknown)."""
        ...


@dataclass(frozen=True)
class KnownWeights:
    """The weights of a trained model."""

    weights: Weights

    def of_levels(self, stage: Stage, levels: Levels, target: Floats) -> tuple[float, float]:
        """The model's weights; the readings do not matter."""
        known = self.weights
        return {"slow": known.slow, "daily": known.daily, "quick": known.quick}[stage]

    def spread(self, stage: Stage, residual: Floats) -> float:
        """The model's spread; the readings do not matter."""
        return self.weights.slow_spread if stage == "slow" else self.weights.daily_spread


@dataclass(frozen=True, eq=False)
class Residuals:
    """Shape (n,) each, in spreads; NaN where there is no reading, but for the levels.

    Attributes:
        z: Deviation from the slot's expected value.
        week_level: The last week's level.
        level: The weighted levels of weeks and days together.
        slow: What the levels of weeks leave of `z`.
        daily: What the levels of days leave of `slow`.
        quick: What the levels of hours leave of `daily`.
        weights: The weights of all levels.
    """

    z: Floats
    week_level: Floats
    level: Floats
    slow: Floats
    daily: Floats
    quick: Floats
    weights: Weights


def residual_chain(
    grid: Grid, expected: Floats, spread: Floats, weights: WeightSource
) -> Residuals:
    """Take the levels of weeks, days and hours away from each reading's deviation, in this order.

    Args:
        grid: The readings, n places.
        expected: Shape (n,), kW: each place's expected value without the level.
        spread: Shape (3, steps of a day), kW: usual error by day type.
        weights: How much of each level carries over.
    """
    per_hour = grid.meter.readings_per_hour
    z = rounded((grid.values - expected) / spread[day_type(grid.weekday), grid.step])
    slow = slow_levels(z, grid)
    slow_weights = weights.of_levels("slow", slow, z)
    slow_residual = _residual(z, slow, slow_weights)
    slow_spread = weights.spread("slow", slow_residual)
    daily = daily_levels(slow_residual, slow_spread, per_hour)
    daily_weights = weights.of_levels("daily", daily, slow_residual)
    daily_residual = _residual(slow_residual, daily, daily_weights)
    daily_spread = weights.spread("daily", daily_residual)
    quick = quick_levels(daily_residual, daily_spread, per_hour)
    quick_weights = weights.of_levels("quick", quick, daily_residual)
    return Residuals(
        z=z,
        week_level=slow[0],
        level=_weighted(slow, slow_weights) + _weighted(daily, daily_weights),
        slow=slow_residual,
        daily=daily_residual,
        quick=_residual(daily_residual, quick, quick_weights),
        weights=Weights(slow_weights, daily_weights, quick_weights, slow_spread, daily_spread),
    )


def _residual(target: Floats, levels: Levels, weights: tuple[float, float]) -> Floats:
    return rounded(target - _weighted(levels, weights))


def _weighted(levels: Levels, weights: tuple[float, float]) -> Floats:
    return weights[0] * levels[0] + weights[1] * levels[1]
