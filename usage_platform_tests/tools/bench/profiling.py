"""Where a row spends its time: cProfile in this process and in Spark's worker of a micro-batch.

Belongs here: profiling and printing. The JVMs are not profiled: what a row waits for is theirs.
"""

import cProfile
import os
import pstats
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_LINES = 40


@dataclass(frozen=True)
class ProfiledTurn:
    """Profiles each batch of a stream; takes the place of a `WriteTurn`, and can be pickled.

    Attributes:
        folder: Where the profiles are put.
    """

    folder: Path

    def write(
        self, write: Callable[["DataFrame", int], None], frame: "DataFrame", batch_id: int
    ) -> None:
        """Write a batch and keep its profile."""
        profile = cProfile.Profile()
        try:
            profile.runcall(write, frame, batch_id)
        finally:
            profile.dump_stats(self.folder / f"{os.getpid()}-{time.monotonic_ns()}.profile")


@contextmanager
def profiled(name: str, folder: Path) -> Iterator[None]:
    """Profile the block, then print the functions by cumulative time, of batches apart.

    Args:
        name: The row's, for the heading.
        folder: Where batches put their profiles; emptied.
    """
    profile = cProfile.Profile()
    profile.enable()
    try:
        yield
    finally:
        profile.disable()
        _print(f"{name}: this process", pstats.Stats(profile))
        batches = sorted(folder.glob("*.profile"))
        if batches:
            _print(f"{name}: {len(batches)} micro-batches", pstats.Stats(*map(str, batches)))
        for batch in batches:
            batch.unlink()


def _print(heading: str, stats: pstats.Stats) -> None:
    print(f"\n{heading}")
    stats.sort_stats("cumulative").print_stats(_LINES)
