"""Dagster's code server, whose runs begin with everything imported.

    python -m usage_platform.local.code_server api grpc -m usage_platform.definitions -h ... -p ...

Dagster starts each run in a new Python, which imports Dagster and the definitions first: three
seconds of a processor, more than a small micro-batch itself takes. Here runs are forked from a
process that has done so, by Python's own fork server, with which Dagster starts steps on demand.

Belongs here: how the processes of runs are made. Not here: the command (dagster_services).
"""

import multiprocessing
from types import SimpleNamespace

# What every run imports, and beside it what each micro-batch does: the way to Spark.
_IMPORTED = ("usage_platform.definitions", "pyspark.sql.connect.session")


def main() -> None:
    """Run Dagster's command that the arguments name; serves until it is stopped."""
    from dagster._cli import main as run_command
    from dagster._grpc import server

    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_IMPORTED])
    # It asks for the context "spawn" by name, and has no option for another one.
    server.multiprocessing = SimpleNamespace(get_context=lambda _: context)
    run_command()


if __name__ == "__main__":
    main()
