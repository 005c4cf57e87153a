"""Plays all rounds and prints what was lost and doubled: `make faults`."""

import multiprocessing
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import click

from usage_platform.local.stack import set_up
from usage_platform.settings.settings import Settings
from usage_platform_tests.short_lived import JAVA_TOOL_OPTIONS
from usage_platform_tests.tools.faults.cuts import Cut
from usage_platform_tests.tools.faults.matrix import CUTS, SIDE_BY_SIDE
from usage_platform_tests.tools.faults.played import plain_console, play
from usage_platform_tests.tools.faults.report import table_of

_PROCESSES = 3


@click.command()
@click.option(
    "--rounds", default=20, show_default=True, type=click.IntRange(1), help="At each cut."
)
@click.option("--cut", "chosen", multiple=True, help="Only cuts with this, or one of these, in it.")
def main(rounds: int, chosen: tuple[str, ...]) -> None:
    """Kill the parts of the platform at exact cuts and compare what they left with an oracle."""
    os.environ.setdefault("JAVA_TOOL_OPTIONS", JAVA_TOOL_OPTIONS)
    console = plain_console()
    if not any(_is_chosen(cut, chosen) for cut in CUTS):
        raise click.UsageError(f"--cut {' '.join(chosen)}: expected a part of one of: {_names()}")
    set_up(Settings.from_env(), console.print, lambda text: None)
    groups = [[cut for cut in cuts if _is_chosen(cut, chosen)] for cuts in SIDE_BY_SIDE]
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(_PROCESSES, spawn, max_tasks_per_child=1) as pool:
        played = list(pool.map(play, filter(None, groups), [rounds] * len(groups)))
    outcomes = {cut: rest for one in played for cut, rest in one.outcomes.items()}
    console.print(table_of({cut: outcomes[cut] for cut in CUTS if outcomes.get(cut)}))
    clean = all(one.findings.is_clean for rest in outcomes.values() for one in rest)
    sys.exit(0 if clean and not any(one.is_broken_off for one in played) else 1)


def _is_chosen(cut: Cut, chosen: Sequence[str]) -> bool:
    return not chosen or any(word.lower() in str(cut).lower() for word in chosen)


def _names() -> str:
    return ", ".join(dict.fromkeys(str(cut) for cut in CUTS))


if __name__ == "__main__":
    main()
