"""A Delta table as its folder shows it from moment to moment: commits, and files not committed.

Belongs here: holding or catching a writer between its data and its commit. Not here: what the rows
say.
"""

import time
from collections.abc import Callable, Set
from pathlib import Path
from signal import SIGCONT, SIGSTOP

from usage_platform_tests.tools.faults.services import RunningService

_LOOK_EVERY_S = 0.001
_LOOK_FOR_HELPERS_EVERY_S = 0.5
_LOG = "_delta_log"
_PARQUET_END = b"PAR1"


def newest_commit(table: Path) -> int:
    """The number of the table's last commit."""
    commits = (table / _LOG).glob("*.json")
    return max(int(path.stem) for path in commits if path.is_file())


def _next_commit(table: Path) -> Path:
    return table / _LOG / f"{newest_commit(table) + 1:020}.json"


def data_files(table: Path) -> set[Path]:
    """The data files in the folder, committed or not, and those that are being written."""
    return set(table.glob("*=*/part-*.parquet*"))


def hold_next_commit(table: Path) -> None:
    """Put a folder where the next commit's file will be, so that no writer can make that file.

    Delta's client in Python then tries again and again, as often as its properties allow. It looks
    for other writers' commits among files, so that it never takes the number after it.
    """
    _next_commit(table).mkdir()


def release_commit(table: Path) -> None:
    """Take the folder away again."""
    _next_commit(table).rmdir()


def is_held(table: Path, known: Set[Path]) -> bool:
    """Whether the next commit is held and a data file that was not known is written to its end."""
    return _next_commit(table).is_dir() and any(map(_is_whole, data_files(table) - known))


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
