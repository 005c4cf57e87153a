"""Rows that gave no reading, reported by file, number and column.

Belongs here: naming the row. Not here: why it is bad (`rows`, `series`, `grid`).
"""

from collections.abc import Sequence

from usage_platform.core.arrays import Integers
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.readings.source import BadRow


def report_rows(
    bad: list[BadRow],
    layouts: Sequence[Layout],
    files: Integers,
    numbers: Integers,
    part: str,
    texts: Sequence[str],
    reason: str,
) -> None:
    """Add rows to the bad rows.

    Args:
        bad: Where they are added.
        layouts: The layout of each file.
        files: For each row its file.
        numbers: For each row its number there.
        part: Which cell is at fault: time, value or end.
        texts: For each row what stands there.
        reason: What is wrong, and what was expected.
    """
    for file, number, text in zip(files, numbers, texts, strict=True):
        layout = layouts[int(file)]
        bad.append(BadRow(layout.label, int(number), _column(layout, part), text, reason))


def _column(layout: Layout, part: str) -> str:
    names = layout.dialect.names
    if part == "time":
        return "+".join(names[position] for position in layout.time.positions)
    if part == "end" and layout.time.end is not None:
        return names[layout.time.end]
    return layout.values[0].name
