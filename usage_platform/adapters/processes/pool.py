"""Work in several processes of this machine, one for each processor.

Belongs here: sending work to other processes and getting the results. Not here: the work itself
(`services`).

A thread for each would not do, because only one at a time runs Python. Spark's workers on this
machine would do, but a task of theirs keeps a slot until it ends: a micro-batch would wait for it.
These processes leave the processors to whoever wants them first (ADR 26).
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")

# Of nice(1): a micro-batch or the page that wants the processor has it first.
_BEHIND_OTHERS = 10
_LOOK_SECONDS = 1.0


class WorkerKilledError(RuntimeError):
    """A process was killed; one line with what to do."""


def processors() -> int:
    """The processors that this process may use, as `map_in_processes` counts them."""
    from joblib import cpu_count

    return int(cpu_count())


@contextmanager
def ended_processes() -> Iterator[None]:
    """End the processes of `map_in_processes` with a block of work, also when it fails.

    The maps of the block share them. By themselves they would stay for five minutes, idle, each
    with all that it has imported and read.
    """
    from joblib.externals.loky import get_reusable_executor

    try:
        yield
    finally:
        # Without killing them it would wait for what they still do.
        executor = get_reusable_executor(
            reuse=True  # pyright: ignore[reportArgumentType] - its stub knows "auto" only
        )
        executor.shutdown(kill_workers=True)


def map_in_processes(work: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
    """Do work on tasks in other processes, as many at a time as there are processors.

    Where there is one processor, this process does the work.

    Args:
        work: Can be pickled, as can its results.
        tasks: Can be pickled.

    Returns:
        The results, each when it is there, in any order.

    Raises:
        WorkerKilledError: When a process was killed, as it is where memory is short.
        Exception: What the work raised; tasks that have not begun are given up.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    one = delayed(partial(_done, work, os.getpid()))
    try:
        results: Any = Parallel(
            n_jobs=-1,
            batch_size=1,  # pyright: ignore[reportArgumentType] - its stub knows "auto" only
            return_as="generator_unordered",
        )(one(task) for task in tasks)
        yield from results
    except TerminatedWorkerError:
        raise WorkerKilledError(
            "a process that shared the work was killed, probably for want of memory: make room, "
            "and start again; what is done is kept"
        ) from None


def _done(work: Callable[[Task], Result], parent: int, task: Task) -> Result:
    _prepare(parent)
    return work(task)


@cache
def _prepare(parent: int) -> None:
    """Make this process one that gives way to others and ends with its parent."""
    if os.getpid() == parent:
        # joblib starts no process where there is one processor.
        return
    os.setpriority(os.PRIO_PROCESS, 0, _BEHIND_OTHERS)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    # By itself a worker of a killed process waits for minutes for another task.
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
