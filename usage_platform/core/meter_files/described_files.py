"""The readings of files whose meters people describe: each meter is read by its description.

Belongs here: what a file and a description say of each other, and putting the parts together. Not
here: which rows are read alike (`described_rows`), reading them (`readings`).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

import numpy as np
import pandas as pd

from usage_platform.core.arrays import Ints
from usage_platform.core.measurement import Quantity
from usage_platform.core.meter_files.described_rows import Part, parts_of
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.readings import Understood, understand_alike
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import BadRow, SourceReadings


def understand(
    files: list[FileRows],
    meter: Meter,
    options: FileOptions,
    bad_rows: Sequence[BadRow] = (),
    notes: Sequence[str] = (),
) -> Understood:
    """What the files say, and the readings they would give, each meter by its description.

    Args:
        files: At least one, in the order of the source; emptied, so that the rows of large ones
            are held once.
        meter: Gives the time zone, the interval, and the name where the files name no meter.
        options: What a person said, and people's descriptions of meters.
        bad_rows: Further rows that gave no reading.
        notes: What happened before, in lines for people.

    Raises:
        SourceError: In one line, when an option contradicts a description.
    """
    parts = parts_of(files, meter, options)
    if not parts:
        return understand_alike(files, meter, options, bad_rows, notes)
    layouts = tuple(file.layout for file in files)
    bad = [*bad_rows, *(row for file in files for row in file.rows.bad_rows)]
    count = sum(file.rows.row_count for file in files) + len(bad_rows)
    files.clear()
    found = [_understood(part, options) for part in parts]
    readings = _joined([one.readings for one in found], bad, count)
    first = found[0]
    return replace(
        first,
        readings=readings,
        layouts=layouts,
        local_rows=any(one.local_rows for one in found),
        instant_rows=any(one.instant_rows for one in found),
        uncertain=tuple(dict.fromkeys(chain.from_iterable(one.uncertain for one in found))),
        notes=(*notes, *dict.fromkeys(chain.from_iterable(one.notes for one in found))),
        is_described=True,
        parts=tuple(found) if len(found) > 1 else (),
    )


def _understood(part: Part, options: FileOptions) -> Understood:
    found = understand_alike(list(part.files), part.meter, part.options)
    said = part.description
    if said is None:
        return found
    uncertain = [_with_remedy(one, part) for one in found.uncertain]
    # What the options say of this source goes before what its files say, as without descriptions.
    words = {"unit": options.unit, "quantity": options.quantity, "stamp": options.stamp}
    open_words = [word for word, option in words.items() if option is None]
    found_in = [_contradiction(file, part, word) for file in part.files for word in open_words]
    uncertain += [one for one in found_in if one is not None]
    return replace(found, uncertain=tuple(uncertain))


def _contradiction(file: FileRows, part: Part, word: str) -> Uncertain | None:
    """A file that says something else of its values than people say of the meter."""
    says, described = getattr(file.layout, word), getattr(part.options, word)
    is_used = word != "stamp" or part.options.quantity is not Quantity.REGISTER
    if says is None or described is None or says == described or not is_used:
        return None
    return Uncertain(
        word,
        f"--{word} {described}",
        f"{file.layout.label}: says {says} of its values, and assets/meters.yaml says {described} "
        f"of meter {part.meter.name}; correct that (usage-platform meters set NAME --{word} "
        f"{says}), or say that the file is wrong with --{word} {described}",
    )


def _with_remedy(one: Uncertain, part: Part) -> Uncertain:
    """A step that the described interval does not allow: no option goes before people's file."""
    said = part.description
    if one.name != "interval" or said is None or said.interval is None or part.options.step:
        return one
    return replace(
        one,
        option="",
        reason=f"{one.reason.rpartition(';')[0]}; correct the interval of meter {part.meter.name} "
        "in assets/meters.yaml (usage-platform meters set NAME --interval)",
    )


def _joined(parts: Sequence[SourceReadings], bad: Sequence[BadRow], count: int) -> SourceReadings:
    """The readings of all parts as those of one source."""
    if len(parts) == 1:
        every_bad_row = [*bad, *parts[0].bad_rows]
        return replace(parts[0], bad_rows=_sorted(every_bad_row), source_rows=count)
    frame = pd.concat([part.frame for part in parts], ignore_index=True)
    codes, names = pd.factorize(frame["meter"])
    rank = names.argsort().argsort().astype(np.int32)
    order: Ints = np.lexsort((rank[codes], frame["ts"]))
    quality = None
    if any(part.quality is not None for part in parts):
        flags = [part.quality or ("",) * len(part.frame) for part in parts]
        joined: list[str] = list(chain.from_iterable(flags))
        places: list[int] = order.tolist()
        quality = tuple(joined[at] for at in places)
    every_bad_row = [*bad, *chain.from_iterable(part.bad_rows for part in parts)]
    return replace(
        parts[0],
        frame=frame.iloc[order].reset_index(drop=True),
        meters=_meters(parts),
        bad_rows=_sorted(every_bad_row),
        repeated_rows=sum(part.repeated_rows for part in parts),
        source_rows=count,
        quality=quality,
    )


def _sorted(rows: Sequence[BadRow]) -> tuple[BadRow, ...]:
    """Bad rows by file and number."""
    place = {file: at for at, file in enumerate(dict.fromkeys(row.file for row in rows))}
    return tuple(sorted(rows, key=lambda row: (place[row.file], row.row)))


def _meters(parts: Sequence[SourceReadings]) -> tuple[Meter, ...]:
    """The meters of all parts, each once: one is net if it is so in any version."""
    found: dict[str, Meter] = {}
    for meter in chain.from_iterable(part.meters for part in parts):
        if meter.is_net or meter.name not in found:
            found[meter.name] = meter
    return tuple(found.values())
