"""Dagster's code server, whose runs begin as forks of a process that has imported the platform.

    python -P -m usage_platform.local.code_server -m MODULE --socket SOCKET

Its options are those of `dagster api grpc`.

Dagster starts a new Python for each run, which imports the same thousand modules again: four
seconds of a processor, more than most micro-batches take. Here one process imports them, and each
run is a fork of it (multiprocessing's "forkserver"). That process has no threads of Python and no
connections, so that a fork of it is as good as a new process.

A sensor's tick opens Dagster's storage again, which reads all migration scripts of the storage to
learn which is the newest: most of what a tick takes that finds nothing to do. Here they are read
once.

Belongs here: how the server makes the processes of runs, what it keeps from tick to tick, and that
its ticks end when it is about to be stopped. Not here: its place in the platform
(dagster_services).
"""

import multiprocessing
import runpy
import sys
from functools import cache
from multiprocessing import forkserver
from multiprocessing.context import BaseContext

from alembic.script import ScriptDirectory

from usage_platform.adapters.processes.ending import ENDING, end_waits_on_signal

THREADS = 24
"""What the server does at once. Each tick has a thread for as long as it lasts, and some wait for
most of a minute; Dagster's default is as many as there are processors, and four."""

# A name that a later version does not have is left out, and each run imports what takes its place.
_IMPORTED = (
    "usage_platform.definitions",
    # What runs import beside: Dagster's storage and the client of the Spark service. Not
    # scikit-learn, which takes two seconds and only a training needs.
    "dagster._grpc.impl",
    "dagster._core.storage.sqlite_storage",
    "alembic.command",
    "pyspark.sql.connect.session",
)


def main(argv: list[str]) -> None:
    """Serve until the process is stopped."""
    # Libraries of macOS do not survive a fork.
    if sys.platform == "linux":
        _fork_runs()
    keep_migration_scripts()
    end_waits_on_signal()
    sys.argv = ["dagster", "api", "grpc", "--max-workers", str(THREADS), *argv]
    try:
        runpy.run_module("dagster", run_name="__main__", alter_sys=True)
    finally:
        # Python waits for the threads of ticks before it ends.
        ENDING.set()


def _fork_runs() -> None:
    """Have forks take the place of new Pythons; the process that is forked starts now."""
    context_of = multiprocessing.get_context

    def get_context(method: str | None = None) -> BaseContext:
        return context_of("forkserver" if method == "spawn" else method)

    multiprocessing.get_context = get_context
    multiprocessing.set_forkserver_preload([*_IMPORTED])
    forkserver.ensure_running()


def keep_migration_scripts() -> None:
    """Have the migration scripts of a configuration read once; Dagster keeps its configurations."""
    ScriptDirectory.from_config = staticmethod(cache(ScriptDirectory.from_config))


if __name__ == "__main__":
    main(sys.argv[1:])
