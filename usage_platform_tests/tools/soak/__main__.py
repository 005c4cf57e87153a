"""Plays a thousand times real time for a while, and says what stayed flat and what grows.

Prints a line a minute, then a judgement of each series; the exit code is 1 when one rises, or when
there was too little to judge one by. The figures of each minute and a chart stay in the soak's
folder.
"""

import csv
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from dagster import DagsterInstance
from rich.console import Console
from rich.table import Table

from usage_platform.adapters.lake.tables import TABLES
from usage_platform.local.stack_file import read_live
from usage_platform_tests.e2e.conftest import Platform
from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.soak.chart import draw
from usage_platform_tests.tools.soak.gauges import failed_runs, look, memory
from usage_platform_tests.tools.soak.judgement import MOST_RISE, Judgement, Outcome
from usage_platform_tests.tools.soak.running import ACCELERATOR, launch_upkeep, running
from usage_platform_tests.tools.soak.series import SERIES, Sample

_FOLDER = ROOT / ".usage" / "soak"
_MEMORY_EVERY_S = 5.0
_UPKEEP_EVERY_MINUTES = 5


@click.command()
@click.option("--minutes", default=30.0, show_default=True, help="How long to play.")
@click.option("--every", default=60.0, show_default=True, help="Seconds between two lines.")
def main(minutes: float, every: float) -> None:
    """Soak the platform and say what came of it."""
    if live := read_live(_FOLDER):
        sys.exit(f"{_FOLDER}: a soak runs there (process {live.owner.pid}); let it end first")
    shutil.rmtree(_FOLDER, ignore_errors=True)
    _FOLDER.mkdir(parents=True)
    console = Console(highlight=False, width=120)

    def say(line: str) -> None:
        console.print(line, markup=False, soft_wrap=True)

    say(f"{minutes:g} minutes at {ACCELERATOR}x in {_FOLDER}")
    with running(_FOLDER, minutes) as platform:
        samples, failed = _watch(platform, minutes, every, say)
    _keep(samples, _FOLDER / "soak.csv")
    judgements = {series.name: series.judged(samples) for series in SERIES}
    draw(samples, judgements, _FOLDER / "soak.png")
    console.print(_verdicts(judgements))
    say(f"{failed} runs failed; figures in {_FOLDER}/soak.csv, chart in {_FOLDER}/soak.png")
    risen, unknown = (
        [name for name, judged in judgements.items() if judged.outcome is outcome]
        for outcome in (Outcome.RISES, Outcome.UNKNOWN)
    )
    if risen or failed:
        say(f"NOT FLAT: {', '.join(risen) or 'runs failed'}")
    if unknown:
        say(f"NOT JUDGED: {', '.join(unknown)}; play for longer")
    if risen or failed or unknown:
        sys.exit(1)


def _watch(
    platform: Platform, minutes: float, every: float, say: Callable[[str], None]
) -> tuple[list[Sample], int]:
    """A sample every so many seconds, and at the end how many runs failed."""
    deployment = platform.deployment()
    samples: list[Sample] = []
    began = time.time()
    since, next_upkeep = began, _UPKEEP_EVERY_MINUTES * 60.0
    with DagsterInstance.from_config(str(platform.data / "dagster_home")) as instance:
        while since - began < minutes * 60:
            seen = []
            while time.time() < since + every:
                seen.append(memory(platform.data))
                time.sleep(_MEMORY_EVERY_S)
            now = time.time()
            sample = look(deployment, instance, (now - began) / 60, since, seen)
            samples.append(sample)
            say(_line(sample))
            since = now
            if now - began > next_upkeep:
                next_upkeep += _UPKEEP_EVERY_MINUTES * 60
                say(launch_upkeep(platform))
        return samples, failed_runs(instance)


def _line(sample: Sample) -> str:
    shown = {
        name: "-" if value != value else f"{value:,.1f}".removesuffix(".0")
        for name, value in sample.values.items()
    }
    tables = "; ".join(
        f"{name} {shown[f'{name}: live files']} of {shown[f'{name}: files on disk']} files live, "
        f"{shown[f'{name}: on disk']} MiB, {shown[f'{name}: files in _delta_log']} in _delta_log"
        for name in (table.name for table in TABLES)
    )
    told = {f"{table.name}:" for table in TABLES}
    others = ", ".join(
        f"{series.name} {shown[series.name]} {series.unit}"
        for series in SERIES
        if not series.name.startswith(tuple(told))
    )
    return f"minute {sample.minute:.1f}: {sample.readings:,} readings; {tables}; {others}"


def _keep(samples: Sequence[Sample], to: Path) -> None:
    with to.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["minute", "readings", *(f"{s.name} ({s.unit})" for s in SERIES)])
        for sample in samples:
            values = (sample.values[series.name] for series in SERIES)
            rows.writerow([round(sample.minute, 2), sample.readings, *values])


def _verdicts(judgements: dict[str, Judgement]) -> Table:
    title = (
        f"Flat: over the second half the Theil-Sen slope rises by no more than {MOST_RISE:.0%} of "
        "the level"
    )
    table = Table("series", "level", "rise", "unit", "judgement", title=title)
    for series in SERIES:
        judged = judgements[series.name]
        unit = f"{series.unit} {series.per}".strip()
        row = (f"{judged.level:,.2f}", f"{judged.rise:+,.2f}", unit, judged.outcome)
        table.add_row(series.name, *row)
    return table


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
