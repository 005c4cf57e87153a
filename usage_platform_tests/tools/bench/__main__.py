"""Measures the rows of `rows.ROWS`: `make bench`, or some of them by `--only`."""

import argparse
import json
import os
import sys
from contextlib import nullcontext

# Before a client of Kafka or Spark is loaded: services are started beside them.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "false")

from rich.console import Console

from usage_platform_tests.tools.bench.figures import (
    Figure,
    Row,
    UnknownRowError,
    as_json,
    as_table,
    chosen,
)
from usage_platform_tests.tools.bench.profiling import ProfiledTurn, profiled
from usage_platform_tests.tools.bench.rows import ROWS
from usage_platform_tests.tools.bench.workbench import Workbench, workbench


def main() -> None:
    """Measure the chosen rows one after the other and print them."""
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure speeds, each beside the naive way or the limit."
    )
    names = ", ".join(f"{row.name} ({row.what})" for row in ROWS)
    parser.add_argument("--only", metavar="NAME[,NAME]", help=f"rows to measure: {names}")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--profile", action="store_true", help="print where each row spends its time (cProfile)"
    )
    given = parser.parse_args()
    try:
        rows = chosen(ROWS, given.only)
    except UnknownRowError as error:
        sys.exit(str(error))
    with workbench() as bench:
        measured = [(row, _measured(row, bench, given.profile)) for row in rows]
    if given.json:
        print(json.dumps(as_json(measured), indent=2))
        return
    console = Console(width=120)
    console.print(as_table(measured))
    console.print(
        "A batch is timed on an open Spark session, without Dagster's sensor and the start of a "
        "run. times better: than what is beside it; below 1 is the share of a limit."
    )


def _measured(row: Row, bench: Workbench, is_profiled: bool) -> list[Figure]:
    _say(f"{row.name}: {row.what}")
    folder = bench.new_folder()
    bench.turn = ProfiledTurn(folder) if is_profiled else None
    with profiled(row.name, folder) if is_profiled else nullcontext():
        figures = row.measure(bench)
    for figure in figures:
        _say(f"  {figure.what}: {figure.value:,.2f} {figure.unit}")
    return figures


def _say(line: str) -> None:
    """Tell at once what is known, beside the output: all rows together take long."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
