"""Plays all rounds and prints what was lost and doubled: `make faults`."""

import sys
import tempfile
import warnings
from collections import defaultdict
from pathlib import Path

import click
from rich.console import Console

from usage_platform.local.stack import set_up
from usage_platform.settings import Settings
from usage_platform_tests.faults.cuts import Cut, CutMissedError, Outcome
from usage_platform_tests.faults.matrix import CUTS, Matrix
from usage_platform_tests.faults.report import round_lines, table_of
from usage_platform_tests.faults.services import Services


@click.command()
@click.option(
    "--rounds", default=20, show_default=True, type=click.IntRange(1), help="At each cut."
)
@click.option("--cut", "chosen", default="", help="Only the cuts with this in their name.")
def main(rounds: int, chosen: str) -> None:
    """Kill the parts of the platform at exact cuts and compare what they left with an oracle."""
    cuts = [cut for cut in CUTS if chosen.lower() in str(cut).lower()]
    if not cuts:
        raise click.UsageError(f"--cut {chosen}: expected a part of one of: {_names()}")
    # Clients of a service that was killed are left to find out.
    warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]")
    console = Console(width=140, highlight=False)
    java, jars = set_up(Settings.from_env(), console.print, lambda text: None)
    outcomes: dict[Cut, list[Outcome]] = defaultdict(list)
    with (
        tempfile.TemporaryDirectory(prefix="usage-faults-") as folder,
        Services(java, jars, Path(folder)) as services,
    ):
        matrix = Matrix(services)
        try:
            for cut in cuts:
                for number in range(1, rounds + 1):
                    outcome = matrix.play(cut)
                    outcomes[cut].append(outcome)
                    for line in round_lines(cut, number, rounds, outcome):
                        console.print(line, markup=False)
        except (AssertionError, CutMissedError) as error:
            raise click.ClickException(f"{cut} ({cut.signal.name}): {error}") from None
        finally:
            console.print(table_of(outcomes))
    clean = all(one.findings.is_clean for played in outcomes.values() for one in played)
    sys.exit(0 if clean else 1)


def _names() -> str:
    return ", ".join(dict.fromkeys(str(cut) for cut in CUTS))


if __name__ == "__main__":
    main()
