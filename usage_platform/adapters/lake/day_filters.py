"""Which days of a table are read, as a filter on its partitions.

Belongs here: filters, and the dataset of the files that they choose. Not here: conditions on rows
(`row_filters`), which days have changed (`snapshots`).

A filter is applied to the table's log. A dataset of all files costs about a millisecond of a
processor for each of them, opened or not: with a year of days that is more than all other work of
a small micro-batch together.
"""

from collections.abc import Iterable
from datetime import date
from typing import TypeAlias

import pyarrow.dataset as ds
from deltalake import DeltaTable

from usage_platform.adapters.lake.tables import LakeTable

DayFilter: TypeAlias = list[tuple[str, str, str | list[str]]]
"""Conditions that all hold, each a column of the partition, an operator and a value."""

ALL_DAYS: DayFilter = []
"""Every day of a table."""


def between(table: LakeTable, first: date | None, last: date | None) -> DayFilter:
    """The UTC days from a first to a last one, both inclusive; None for no such bound."""
    bounds = ((">=", first), ("<=", last))
    return [(table.partition, operator, str(day)) for operator, day in bounds if day is not None]


def on_days(table: LakeTable, days: Iterable[date]) -> DayFilter:
    """Some UTC days; at least one."""
    return [(table.partition, "in", sorted({str(day) for day in days}))]


def dataset(delta: DeltaTable, days: DayFilter) -> ds.Dataset:
    """The rows of some days of a table; no file of another day is known to it."""
    return delta.to_pyarrow_dataset(file_pruning_predicate=days or None)
