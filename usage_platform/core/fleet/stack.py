"""The parts of a group on top of each other, and the rest of its main meter.

Belongs here: which parts are layers, which hours can be stacked, and what is missing. Not here: the
groups (`groups`), adding up hours (adapters), drawing (`web`).

A virtual meter that subtracts has a main meter (what it adds), sub-meters (what it subtracts) as
layers, and a rest: the main meter minus all layers. Other groups are the sum of their layers.

A part without its readings never counts as 0. An hour in which a layer lacks readings is left out
of all layers, and so of the rest. A part without a single whole hour is no layer but reported as
absent: in the rest of a main meter its energy is still, in another group it is not.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from usage_platform.core.arrays import Floats
from usage_platform.core.fleet.groups import Group, Member

MOST_LAYERS = 8
"""More cannot be told apart: the smallest ones are shown as one."""

_ROUNDING = 1e-6
"""A rest below 0 by a smaller share of the main meter is a rounding error."""

Hours = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class StackPlan:
    """What is stacked.

    Attributes:
        names: The names of the layers.
        layers: The members of each.
        main: The members of the main meter; None where the layers are the whole.
    """

    names: tuple[str, ...]
    layers: tuple[tuple[Member, ...], ...]
    main: tuple[Member, ...] | None

    @property
    def sums(self) -> tuple[tuple[Member, ...], ...]:
        """The members of all sums that are needed: the layers, then the main meter."""
        return self.layers if self.main is None else (*self.layers, self.main)


@dataclass(frozen=True, eq=False)
class Layer:
    """A part of the stack.

    Attributes:
        name: Its name; of several parts as one, how many they are.
        kw: float64, shape (hours,): mean power; NaN in hours that are left out.
        is_missing: bool, the same shape: the hours in which it lacks readings; of several parts as
            one, those in which one of them does.
    """

    name: str
    kw: Floats
    is_missing: Hours

    @property
    def missing_hours(self) -> int:
        """How many hours lack readings."""
        return int(self.is_missing.sum())


@dataclass(frozen=True, eq=False)
class Stack:
    """A group over some hours.

    Attributes:
        layers: The parts, the largest first.
        rest: float64, shape (hours,): the main meter minus all layers, kW; NaN in hours that are
            left out. None without a main meter.
        main: The main meter, NaN where it lacks readings; None without one.
        is_whole: bool, shape (hours,): the hours that are stacked.
        absent: The parts without a single whole hour.
        negative_hours: Hours in which the layers are more than the main meter.
    """

    layers: tuple[Layer, ...]
    rest: Floats | None
    main: Floats | None
    is_whole: Hours
    absent: tuple[str, ...]
    negative_hours: int


def plan_of(group: Group) -> StackPlan:
    """What is stacked of a group."""
    subtracted = [part for part in group.parts if part.sign < 0]
    layers = subtracted or list(group.parts)
    main = (
        tuple(member for part in group.parts if part.sign > 0 for member in part.members)
        if subtracted
        else None
    )
    return StackPlan(
        tuple(part.name for part in layers), tuple(part.members for part in layers), main
    )


def stacked(plan: StackPlan, kwh: Floats, is_due: npt.NDArray[np.bool_]) -> Stack:
    """Put the parts of a group on top of each other.

    Args:
        plan: From `plan_of`.
        kwh: float64, shape (sums, hours): energy of each of the plan's sums in each hour; NaN
            unless all readings are there.
        is_due: bool, the same shape: whether the sum has a meter in the hour. A part that is not in
            the group in an hour adds nothing to it.
    """
    count = len(plan.layers)
    is_missing = is_due & np.isnan(kwh)
    has_hour = [bool(row.any()) for row in is_due & ~np.isnan(kwh)]
    is_in_group = [bool(row.any()) for row in is_due]
    shown = [n for n in range(count) if has_hour[n]]
    main = None if plan.main is None else kwh[count]
    is_whole: Hours = np.logical_and(~is_missing[shown].any(axis=0), is_due.any(axis=0))
    if main is not None:
        is_whole = np.logical_and(is_whole, ~np.isnan(main))
    power = np.where(is_due & ~is_missing, kwh, 0.0)
    layers = [
        Layer(plan.names[n], np.where(is_whole, power[n], np.nan), is_missing[n]) for n in shown
    ]
    total = power[shown].sum(axis=0)
    rest = None if main is None else np.where(is_whole, main - total, np.nan)
    return Stack(
        layers=_largest(layers, is_whole),
        rest=rest,
        main=main,
        is_whole=is_whole,
        absent=tuple(plan.names[n] for n in range(count) if is_in_group[n] and not has_hour[n]),
        negative_hours=0 if rest is None or main is None else _below_0(rest, main),
    )


def _below_0(rest: Floats, main: Floats) -> int:
    return int((rest < -_ROUNDING * np.abs(np.nan_to_num(main)) - _ROUNDING).sum())


def _largest(layers: Sequence[Layer], is_whole: Hours) -> tuple[Layer, ...]:
    ordered = sorted(layers, key=lambda one: -float(one.kw[is_whole].sum()))
    if len(ordered) <= MOST_LAYERS:
        return tuple(ordered)
    kept, others = ordered[: MOST_LAYERS - 1], ordered[MOST_LAYERS - 1 :]
    together = Layer(
        f"{len(others)} others",
        np.sum([one.kw for one in others], axis=0),
        np.any([one.is_missing for one in others], axis=0),
    )
    return (*kept, together)
