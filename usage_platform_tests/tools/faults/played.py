"""Rounds at some cuts, on services of their own: what came of them, and a line of each.

Belongs here: what a process of the pool does. Not here: which cuts are played beside which
(`__main__`, which processes of a pool cannot import).
"""

import shutil
import tempfile
import traceback
import warnings
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from usage_platform.local.stack import set_up
from usage_platform.settings.settings import Settings
from usage_platform_tests.tools.faults.cuts import Cut, Outcome
from usage_platform_tests.tools.faults.matrix import Matrix
from usage_platform_tests.tools.faults.report import round_lines
from usage_platform_tests.tools.faults.services import Services


@dataclass
class Played:
    """What came of the rounds at some cuts.

    Attributes:
        outcomes: By cut, in order.
        is_broken_off: Whether they ended early.
    """

    outcomes: dict[Cut, list[Outcome]] = field(default_factory=lambda: defaultdict(list))
    is_broken_off: bool = False


def play(cuts: Sequence[Cut], rounds: int) -> Played:
    """Play all rounds at some cuts on services of their own, and print a line of each."""
    # Clients of a service that was killed are left to find out.
    warnings.filterwarnings("ignore", r"\[RETRIES_EXCEEDED\]")
    console, played = plain_console(), Played()
    java, jars = set_up(Settings.from_env(), console.print, lambda text: None)
    folder = Path(tempfile.mkdtemp(prefix="usage-faults-"))
    try:
        with Services(java, jars, folder) as services:
            _play_into(played, Matrix(services), cuts, rounds, console)
    except Exception:
        # What the other cuts gave is told all the same.
        played.is_broken_off = True
        cut = next(cut for cut in cuts if len(played.outcomes[cut]) < rounds)
        told = f"{cut} ({cut.by}): broken off; the services' files are in {folder}"
        console.print(f"{told}\n{traceback.format_exc()}", markup=False)
    else:
        shutil.rmtree(folder)
    return played


def _play_into(
    played: Played, matrix: Matrix, cuts: Sequence[Cut], rounds: int, console: Console
) -> None:
    for cut in cuts:
        for number in range(1, rounds + 1):
            outcome = matrix.play(cut)
            played.outcomes[cut].append(outcome)
            for line in round_lines(cut, number, rounds, outcome):
                console.print(line, markup=False)


def plain_console() -> Console:
    """A console that is as wide as the table needs."""
    return Console(width=140, highlight=False)
