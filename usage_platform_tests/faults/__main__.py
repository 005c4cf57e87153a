"""Plays all rounds and prints what was lost and doubled: `make faults`."""

import multiprocessing
import os
import sys
import tempfile
import warnings
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console

from usage_platform.local.stack import set_up
from usage_platform.settings import Settings
from usage_platform_tests.faults import rounds_of_spark, rounds_of_stack
from usage_platform_tests.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.faults.matrix import CUTS, CUTS_OF_STREAMS, Matrix
from usage_platform_tests.faults.report import round_lines, table_of
from usage_platform_tests.faults.services import Services
from usage_platform_tests.short_lived import JAVA_TOOL_OPTIONS

# Rounds of Spark are work for the processors, those of the streams mostly wait: side by side they
# take half the time. A whole platform gets the machine for itself.
_SIDE_BY_SIDE = ((rounds_of_spark.CUTS, CUTS_OF_STREAMS), (rounds_of_stack.CUTS,))


@dataclass
class Played:
    """What came of the rounds at some cuts.

    Attributes:
        outcomes: By cut, in order.
        broken_off: Why they ended early; empty when they did not.
    """

    outcomes: dict[Cut, list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    broken_off: str = ""


@click.command()
@click.option(
    "--rounds", default=20, show_default=True, type=click.IntRange(1), help="At each cut."
)
@click.option("--cut", "chosen", default="", help="Only the cuts with this in their name.")
def main(rounds: int, chosen: str) -> None:
    """Kill the parts of the platform at exact cuts and compare what they left with an oracle."""
    os.environ.setdefault("JAVA_TOOL_OPTIONS", JAVA_TOOL_OPTIONS)
    console = _console()
    if not any(_is_chosen(cut, chosen) for cut in CUTS):
        raise click.UsageError(f"--cut {chosen}: expected a part of one of: {_names()}")
    set_up(Settings.from_env(), console.print, lambda text: None)
    played = []
    for beside in _SIDE_BY_SIDE:
        groups = [[cut for cut in cuts if _is_chosen(cut, chosen)] for cuts in beside]
        with ProcessPoolExecutor(len(groups), multiprocessing.get_context("spawn")) as pool:
            played += pool.map(play, filter(None, groups), [rounds] * len(groups))
    outcomes = {cut: rest for one in played for cut, rest in one.outcomes.items()}
    console.print(table_of(outcomes))
    broken_off = [one.broken_off for one in played if one.broken_off]
    for line in broken_off:
        console.print(line, markup=False)
    clean = all(one.findings.is_clean for rest in outcomes.values() for one in rest)
    sys.exit(0 if clean and not broken_off else 1)


def play(cuts: Sequence[Cut], rounds: int) -> Played:
    """Play all rounds at some cuts on services of their own, and print a line of each."""
    # Clients of a service that was killed are left to find out.
    warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]")
    console, played = _console(), Played()
    java, jars = set_up(Settings.from_env(), console.print, lambda text: None)
    with (
        tempfile.TemporaryDirectory(prefix="usage-faults-") as folder,
        Services(java, jars, Path(folder)) as services,
    ):
        matrix = Matrix(services)
        for cut in cuts:
            for number in range(1, rounds + 1):
                try:
                    outcome = matrix.play(cut)
                except (AssertionError, CutMissedError) as error:
                    played.broken_off = f"{cut} ({cut.signal.name}): {error}"
                    return played
                played.outcomes[cut].append(outcome)
                for line in round_lines(cut, number, rounds, outcome):
                    console.print(line, markup=False)
    return played


def _console() -> Console:
    return Console(width=140, highlight=False)


def _is_chosen(cut: Cut, chosen: str) -> bool:
    return chosen.lower() in str(cut).lower()


def _names() -> str:
    return ", ".join(dict.fromkeys(str(cut) for cut in CUTS))


if __name__ == "__main__":
    main()
