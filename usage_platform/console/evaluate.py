"""`make eval`: evaluate the detector against chance, a plain robust z and the blog's method.

Belongs here: the tables of the detector. Not here: the series (`evaluated_series`), computing the
rates (`core.evaluation.detection_rates`), the tables of forecasts (`evaluate_forecast`) and of
findings (`evaluate_findings`).
"""

import argparse
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.console.evaluate_findings import print_found_faults, print_quarters
from usage_platform.console.evaluate_forecast import print_forecasts
from usage_platform.console.evaluated_series import (
    Labelled,
    generated,
    net_building,
    torino_campus,
)
from usage_platform.console.screen import Screen, table
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.score import score
from usage_platform.core.detector.stepwise.scorer import StepwiseScorer
from usage_platform.core.detector.train import HISTORY_DAYS, train
from usage_platform.core.evaluation.detection_rates import Found, at_hours, evaluate
from usage_platform.core.evaluation.replay import replay
from usage_platform.core.generator.fault_kinds import SHORT_KINDS
from usage_platform.core.generator.net_faults import NET_KINDS
from usage_platform.core.meters import Meter
from usage_platform.core.time.calendar import Calendar
from usage_platform.core.time.units import NS_A_DAY, instants_of

EVALUATION_SEEDS = (10, 11, 12)
"""Held-out seeds; seeds 0 to 2 are for development."""

_TORINO = "torino_campus_15min.csv.gz"
_TUESDAYS = "bpl_seven_tuesdays.csv"
_SERIES = f"{_TORINO} and {_TUESDAYS} (sources: docs/evaluation.md)"
_REAL = "Torino"
_NET = "net meter"
_HEALTHY_FROM = date(2015, 4, 1)
"""In its first two years the meter of Torino measured a part of the campus for months."""

_BLOG_WEEKS = 8
_SPARED_TUESDAYS = 3
_WIDTH = 120
_EACH = 6
_KNOWN_FAULTS = {date(2024, 4, 16): ", with 200 kW too many all night"}


def main(arguments: Sequence[str] | None = None) -> None:
    """Evaluate all series and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default=",".join(map(str, EVALUATION_SEEDS)))
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="folder with the real series")
    parser.add_argument("--without-blog", action="store_true", help="skip the slow baseline")
    given = parser.parse_args(arguments)
    if given.data is not None and not given.data.is_dir():
        parser.exit(2, f"--data {given.data}: no such folder; expected one with {_SERIES}\n")
    seeds = [int(seed) for seed in given.seeds.split(",")]
    screen = Screen(_WIDTH)
    if given.data is None:
        screen.say(f"only the generated library; --data FOLDER adds {_SERIES}")
    torino, tuesdays = (_found(screen, given.data, name) for name in (_TORINO, _TUESDAYS))
    groups = {"generated library": [generated(seed) for seed in seeds]}
    nets = [net_building(seed) for seed in seeds]
    if torino is not None:
        groups[_REAL] = [torino_campus(torino, seed) for seed in seeds]
    for name, series in groups.items():
        print_group(screen, name, series, with_blog=not given.without_blog)
    print_group(screen, _NET, nets, with_blog=not given.without_blog, kinds=NET_KINDS)
    if tuesdays is not None:
        print_tuesdays(screen, tuesdays)
    print_speed(screen, groups["generated library"][0])
    for name, series in groups.items():
        print_forecasts(screen, name, series[0].clean, series[0].meter, series[0].calendar)
    print_found_faults(screen, seeds)
    for name, series in groups.items():
        # Without its faults, a real series is the same for each seed.
        clean = [one.clean for one in (series[:1] if name == _REAL else series)]
        healthy = _HEALTHY_FROM if name == _REAL else None
        print_quarters(screen, name, clean, series[0].meter, series[0].calendar, healthy)


def _found(screen: Screen, folder: Path | None, name: str) -> Path | None:
    """The file of a real series; None, with a message, if it is missing."""
    if folder is None:
        return None
    path = folder / name
    if not path.exists():
        screen.say(f"{path}: not found, skipped")
        return None
    return path


def print_group(
    screen: Screen,
    name: str,
    group: list[Labelled],
    *,
    with_blog: bool,
    kinds: Sequence[str] = SHORT_KINDS,
) -> None:
    """One table a group of series, a row a method, and the recall by kind."""
    found: dict[str, Found] = {}
    judged = {method: [] for method in (Method.FOREST, Method.ROBUST_Z)}
    for method, all_judged in judged.items():
        for series in group:
            screen.progress(f"{series.name}: {method}")
            all_judged.append((_judged(series, method), series))
        found[method] = _total(all_judged)
    price = found[Method.ROBUST_Z].hours / found[Method.ROBUST_Z].weeks
    for method, all_judged in judged.items():
        equal = [
            (at_hours(frame, series.faults, series.meter, price), series)
            for frame, series in all_judged
        ]
        found[f"{method} at {price:.2f} h/week"] = _total(equal)
    if with_blog:
        screen.progress(f"{group[0].name}: {Method.BLOG}")
        late = group[0].readings["ts"].iloc[-1] - pd.Timedelta(weeks=_BLOG_WEEKS)
        blog = _judged(group[0], Method.BLOG, late)
        found[f"blog, last {_BLOG_WEEKS} weeks"] = _total([(blog, group[0])])
    screen.quiet()
    weeks = found[Method.FOREST].weeks
    faults = sum(found[Method.FOREST].faults.values())
    _print_methods(screen, f"{name}: {weeks:.0f} weeks, {faults:.0f} faults", found)
    _print_kinds(screen, f"{name}: recall by kind (chance)", found, kinds)


def _judged(series: Labelled, method: Method, from_: pd.Timestamp | None = None) -> pd.DataFrame:
    options = TrainingOptions(series.calendar, method)
    judged = replay(series.readings, series.meter, options, from_=from_)
    return judged.loc[~judged["learning"].astype(bool)]


def _total(judged: list[tuple[pd.DataFrame, Labelled]]) -> Found:
    rng = np.random.default_rng(0)
    parts = [evaluate(frame, one.faults, one.meter, rng) for frame, one in judged]
    total = parts[0]
    for part in parts[1:]:
        total += part
    return total


def _print_methods(screen: Screen, title: str, found: dict[str, Found]) -> None:
    heads = ("msgs/wk", "episodes/wk", "hours/wk", "recall", "chance", "precision", "delay min")
    shown = table(title, "method", *heads, numbers=heads)
    for name, one in found.items():
        shown.add_row(
            str(name),
            *(f"{count / one.weeks:.2f}" for count in (one.messages, one.episodes, one.hours)),
            *(f"{share:.3f}" for share in (one.recall, one.chance, one.precision)),
            f"{one.median_delay:.0f}",
        )
    screen.console.print(shown)


def _print_kinds(screen: Screen, title: str, found: dict[str, Found], kinds: Sequence[str]) -> None:
    names = tuple(map(str, found))
    shown = table(title, "kind", "faults", *names, numbers=("faults", *names))
    for kind in kinds:
        counts = [one.faults.get(kind, 0.0) for one in found.values()]
        cells = [
            f"{one.hits.get(kind, 0.0) / count:.2f} ({one.chances.get(kind, 0.0) / count:.2f})"
            if count
            else "-"
            for one, count in zip(found.values(), counts, strict=True)
        ]
        shown.add_row(kind, f"{counts[0]:.0f}", *cells)
    screen.console.print(shown)


def print_tuesdays(screen: Screen, path: Path) -> None:
    """The real library: each of the last Tuesdays scored by a model of those before it."""
    meter, calendar = Meter(), Calendar("US", "MA")
    frame = CsvSource((path,), meter).load(lambda done, of: None).frame
    day = frame["ts"].dt.tz_convert(meter.timezone).dt.date
    days = sorted(day.unique())[-_SPARED_TUESDAYS:]
    heads = ("readings", "flagged")
    shown = table("Real Tuesdays, few comparables", "what", *heads, numbers=heads)
    for judged in days:
        flags = _as_it_was(frame, day == judged, meter, calendar)
        note = _KNOWN_FAULTS.get(judged, "")
        shown.add_row(f"{judged} as it was{note}", f"{len(flags)}", f"{100 * flags.mean():.2f} %")
    for what, factor in (("put to 0", 0.0), ("times 10", 10.0), ("times 2", 2.0)):
        flags = np.concatenate(
            [_one_by_one(frame, day == judged, factor, meter, calendar) for judged in days]
        )
        shown.add_row(f"one reading {what}", f"{len(flags)}", f"{100 * flags.mean():.2f} %")
    screen.console.print(shown)


def _as_it_was(
    frame: pd.DataFrame, of_day: pd.Series, meter: Meter, calendar: Calendar
) -> np.ndarray:
    """Whether each reading of a day is flagged."""
    instants, values, places = _arrays(frame, of_day)
    start = int(instants[places[0]])
    model = train(instants, values, meter, TrainingOptions(calendar), start)
    stop = places[-1] + 1
    return score(model, instants[:stop], values[:stop], start)["flagged"].to_numpy(bool)


def _one_by_one(
    frame: pd.DataFrame, of_day: pd.Series, factor: float, meter: Meter, calendar: Calendar
) -> np.ndarray:
    """Whether each sixth reading of a day is flagged when it alone is scaled."""
    instants, values, places = _arrays(frame, of_day)
    model = train(instants, values, meter, TrainingOptions(calendar), int(instants[places[0]]))
    flags = []
    for place in places[::_EACH]:
        one = np.append(values[:place], values[place] * factor)
        judged = score(model, instants[: place + 1], one, int(instants[place]))
        flags.append(bool(judged["flagged"].iloc[-1]))
    return np.array(flags)


def _arrays(frame: pd.DataFrame, of_day: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    values = frame["value"].to_numpy(np.float64)
    return instants_of(frame.loc[:, "ts"]), values, np.flatnonzero(of_day.to_numpy())


def print_speed(screen: Screen, series: Labelled) -> None:
    """CPU time of training on a year and of scoring."""
    instants = instants_of(series.readings.loc[:, "ts"])
    values = series.readings["value"].to_numpy(np.float64)
    until = int(instants[0]) + 366 * NS_A_DAY
    begin = time.process_time()
    model = train(instants, values, series.meter, TrainingOptions(series.calendar), until)
    trained = time.process_time() - begin
    begin = time.process_time()
    batch = score(model, instants, values, until)
    in_batch = time.process_time() - begin
    late = instants >= until
    live = StepwiseScorer(model, instants[~late], values[~late])
    coming = list(zip(instants[late].tolist(), values[late].tolist(), strict=True))
    begin = time.process_time()
    for instant, value in coming:
        live.score_next(instant, value)
    singly = time.process_time() - begin
    shown = table("Speed, CPU time of one core", "what", "figure", numbers=("figure",))
    shown.add_row(f"training on the last {HISTORY_DAYS} days of a year, s", f"{trained:.2f}")
    shown.add_row("scoring in a batch, readings/s", f"{len(batch) / in_batch:,.0f}")
    shown.add_row("scoring one at a time, readings/s", f"{len(coming) / singly:,.0f}")
    screen.console.print(shown)


if __name__ == "__main__":
    main()
