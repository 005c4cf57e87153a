"""`usage-platform inspect`: how files of readings are understood, before they are played.

Belongs here: the screen and its JSON. Not here: understanding files (`core.meter_files`).
"""

import json
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
from rich.table import Table

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.console.screen import Screen, table
from usage_platform.core.limits import EventLimits
from usage_platform.core.measurement import ReadingUnit
from usage_platform.core.meter_files.readings import Understood
from usage_platform.core.meter_files.summary import Summary, summary_of
from usage_platform.core.readings.source import SourceError

_FIRST_ROWS = 5
_SHOWN_BAD_ROWS = 3


def inspect_files(
    source: CsvSource,
    files: Sequence[str],
    limits: EventLimits,
    data: Path | None,
    as_json: bool,
    screen: Screen,
) -> bool:
    """Print how files are understood.

    Args:
        source: The files and what a person said about them.
        files: As they are given on the command line.
        limits: Those of the topic.
        data: The data folder, if it is given on the command line.
        as_json: Print one JSON object in place of a screen.
        screen: Where to print.

    Returns:
        Whether they can be played as they are.

    Raises:
        SourceError: The files cannot be read at all.
    """
    understood = source.understand(lambda done, of: None)
    found = summary_of(understood, source.meter, source.options)
    command = _command(files, found, understood, data)
    refused = _refusal(understood, limits)
    if as_json:
        print(json.dumps(_as_json(understood, found, command, refused), indent=1))
    else:
        _print(understood, found, command, refused, screen)
    return not understood.uncertain and refused is None


def _refusal(understood: Understood, limits: EventLimits) -> str | None:
    """Why readings that are certain would still be refused."""
    if understood.uncertain:
        return None
    try:
        understood.readings.check_readable()
        understood.readings.check_accepted(pd.Timestamp.now(tz="UTC"), limits)
    except SourceError as error:
        return str(error)
    return None


def _command(
    files: Sequence[str], found: Summary, understood: Understood, data: Path | None
) -> str:
    settled = [one.option for one in understood.uncertain if one.option]
    given = [part for file in files for part in ("--csv", file)]
    # A demo has a lake of its own, without these descriptions.
    command = ["demo"]
    if understood.is_described:
        command = [*([] if data is None else ["--data", str(data)]), "up"]
    parts = [shlex.quote(part) for part in ["usage-platform", *command, *given, *found.options]]
    return " ".join([*parts, *settled])


def _as_json(
    understood: Understood, found: Summary, command: str, refused: str | None
) -> dict[str, object]:
    readings = understood.readings
    units = {meter.name: meter.unit for meter in readings.meters}
    return {
        "files": _labels(understood),
        "properties": {
            one.name: {"value": one.value, "certainty": one.certainty} for one in found.properties
        },
        "options": list(found.options),
        "uncertain": [
            {"name": one.name, "option": one.option, "reason": one.reason}
            for one in understood.uncertain
        ],
        "refused": refused,
        "meters": list(found.meters),
        "rows": readings.rows,
        "readings": len(readings.frame),
        "repeated_rows": readings.repeated_rows,
        "bad_rows": [str(row) for row in readings.bad_rows[:_SHOWN_BAD_ROWS]],
        "bad_row_count": len(readings.bad_rows),
        "notes": list(understood.notes),
        "first": [
            {
                "meter": row["meter"],
                "ts": row["ts"].isoformat(),
                "kw": row["value"] if units[row["meter"]] is ReadingUnit.KW else None,
                "value": row["value"],
                "unit": units[row["meter"]],
            }
            for row in readings.frame.head(_FIRST_ROWS).to_dict("records")
        ],
        "command": command,
    }


def _labels(understood: Understood) -> list[str]:
    """The files; one may hold several tables."""
    return list(dict.fromkeys(layout.label for layout in understood.layouts))


def _print(
    understood: Understood, found: Summary, command: str, refused: str | None, screen: Screen
) -> None:
    names = ", ".join(_labels(understood))
    how = table(f"How {names[:60]} is understood", "property", "value", "certainty")
    for one in found.properties:
        how.add_row(one.name, one.value, one.certainty)
    screen.console.print(how, markup=False)
    screen.console.print(_first_rows(understood), markup=False)
    _say_counts(understood, found, screen.say)
    for one in understood.uncertain:
        screen.say(f"uncertain: {one.reason}")
    if refused:
        screen.say(f"refused: {refused}")
    check = "check the last options, which answer what is uncertain, and "
    screen.say(f"{check if understood.uncertain else ''}play it: {command}")


def _first_rows(understood: Understood) -> Table:
    readings = understood.readings
    units = {meter.name: meter.unit for meter in readings.meters}
    value = " or ".join(dict.fromkeys(units.values()))
    rows = table("First readings", "meter", "start (UTC)", "local", value, numbers=(value,))
    zones = {meter.name: meter.timezone for meter in readings.meters}
    for row in readings.frame.head(_FIRST_ROWS).to_dict("records"):
        local = row["ts"].tz_convert(zones[row["meter"]])
        stamps = (f"{at:%Y-%m-%d %H:%M}" for at in (row["ts"], local))
        own = f" {units[row['meter']]}" if len(set(units.values())) > 1 else ""
        rows.add_row(row["meter"], *stamps, f"{row['value']:,.6g}{own}")
    return rows


def _say_counts(understood: Understood, found: Summary, say: Callable[[str], None]) -> None:
    readings = understood.readings
    shown = ", ".join(found.meters[:5]) + (", ..." if len(found.meters) > 5 else "")
    say(
        f"{readings.rows:,} rows give {len(readings.frame):,} readings of {len(found.meters):,} "
        f"meters ({shown}); {readings.repeated_rows:,} rows repeated, "
        f"{len(readings.bad_rows):,} bad"
    )
    for note in understood.notes:
        say(note)
    for row in readings.bad_rows[:_SHOWN_BAD_ROWS]:
        say(f"bad: {row}")
