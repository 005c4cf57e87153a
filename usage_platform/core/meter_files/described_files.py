"""The readings of files whose meters people describe: each meter is read by its description.

Belongs here: what a file and a description say of each other. Not here: which rows are read alike
(`described_rows`), reading them (`readings`), putting the parts together (`joined_readings`).
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from usage_platform.core.measurement import Quantity
from usage_platform.core.meter_files.described_rows import Part, parts_of, ways_of
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.joined_readings import JoinedReadings
from usage_platform.core.meter_files.layout import Layout
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.readings import Understood, understand_alike
from usage_platform.core.meter_files.series import FileRows
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import BadRow


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
    ways = ways_of(files, meter, options)
    if not ways:
        return understand_alike(files, meter, options, bad_rows, notes)
    layouts = tuple(file.layout for file in files)
    bad = [*bad_rows, *(row for file in files for row in file.rows.bad_rows)]
    count = sum(file.rows.row_count for file in files) + len(bad_rows)
    joined = JoinedReadings()
    found: list[Understood] = []
    for part in parts_of(files, ways, meter, options.meters):
        one = _understood(part, options)
        found.append(replace(one, readings=joined.add(one.readings)))
        del part, one
    first = found[0]
    return replace(
        first,
        readings=joined.readings(bad, count),
        layouts=layouts,
        local_rows=any(one.local_rows for one in found),
        instant_rows=any(one.instant_rows for one in found),
        uncertain=tuple(dict.fromkeys(chain.from_iterable(one.uncertain for one in found))),
        notes=(*notes, *dict.fromkeys(chain.from_iterable(one.notes for one in found))),
        is_described=True,
        parts=tuple(found) if len(found) > 1 else (),
    )


def _understood(part: Part, options: FileOptions) -> Understood:
    layouts = [file.layout for file in part.files]
    found = understand_alike(part.files, part.meter, part.options)
    said = part.description
    if said is None:
        return found
    uncertain = [_with_remedy(one, part) for one in found.uncertain]
    # What the options say of this source goes before what its files say, as without descriptions.
    words = {"unit": options.unit, "quantity": options.quantity, "stamp": options.stamp}
    open_words = [word for word, option in words.items() if option is None]
    found_in = [_contradiction(layout, part, word) for layout in layouts for word in open_words]
    uncertain += [one for one in found_in if one is not None]
    return replace(found, uncertain=tuple(uncertain))


def _contradiction(layout: Layout, part: Part, word: str) -> Uncertain | None:
    """A file that says something else of its values than people say of the meter."""
    says, described = getattr(layout, word), getattr(part.options, word)
    is_used = word != "stamp" or part.options.quantity is not Quantity.REGISTER
    if says is None or described is None or says == described or not is_used:
        return None
    return Uncertain(
        word,
        f"--{word} {described}",
        f"{layout.label}: says {says} of its values, and assets/meters.yaml says {described} "
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
