"""A Delta table as its folder shows it from moment to moment: commits, and files not committed.

Belongs here: catching a writer between its data and its commit. Not here: what the rows say.
"""

import time
from collections.abc import Callable
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from usage_platform_tests.tools.faults.services import RunningService

_LOOK_EVERY_S = 0.001
_LOOK_FOR_HELPERS_EVERY_S = 0.5
_PARQUET_END = b"PAR1"


def newest_commit(table: Path) -> int:
    """The number of the table's last commit."""
    return max(int(path.stem) for path in (table / "_delta_log").glob("*.json"))


def data_files(table: Path) -> set[Path]:
    """The data files in the folder, committed or not, and those that are being written."""
    return set(table.glob("*=*/part-*.parquet*"))


def stopped_before_commit(table: Path, writer: RunningService, is_over: Callable[[], bool]) -> bool:
    """Stop a writer as soon as it has written a data file to the end and not committed it.

    Args:
        table: The table's folder.
        writer: It gets SIGSTOP, and SIGCONT again where it has not come so far, or its commit was
            faster.
        is_over: Whether it has ended its work.

    Returns:
        Whether it was caught; it is stopped then.
    """
    commit, known = newest_commit(table), data_files(table)
    looked = 0.0
    while not is_over():
        if time.monotonic() - looked > _LOOK_FOR_HELPERS_EVERY_S:
            writer.look()
            looked = time.monotonic()
        new = data_files(table) - known
        if new:
            # From its first file on the writer runs in short slices: a busy machine catches it too.
            writer.send(SIGSTOP)
            if newest_commit(table) == commit and any(map(_is_whole, new)):
                return True
            writer.send(SIGCONT)
        if newest_commit(table) != commit:
            return False
        time.sleep(_LOOK_EVERY_S)
    return False


def _is_whole(path: Path) -> bool:
    """Whether a Parquet file has its end, which is written last."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        # It has got its last name since it was seen.
        return False
    return len(content) > 2 * len(_PARQUET_END) and content.endswith(_PARQUET_END)
