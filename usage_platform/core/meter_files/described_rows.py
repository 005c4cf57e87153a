"""The rows of files by how their meters are read: each part is read alike.

Belongs here: which rows are of one part, by meter and description. Not here: what people say
(`core.meter_descriptions`), where versions change (`version_changes`), reading a part (`readings`).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from usage_platform.core.arrays import Int32s
from usage_platform.core.measurement import Sign, Unit
from usage_platform.core.meter_descriptions.description import (
    Descriptions,
    Measured,
    MeterDescription,
)
from usage_platform.core.meter_descriptions.registry import described
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meter_files.rows import TypedRows
from usage_platform.core.meter_files.series import FileRows, meter_names
from usage_platform.core.meter_files.version_changes import VersionChange
from usage_platform.core.meters import Meter
from usage_platform.core.readings.source import SourceError


@dataclass(frozen=True, eq=False)
class Part:
    """Rows that are read alike.

    Attributes:
        files: The files that have such rows, with these alone; without what they counted. Whoever
            reads them empties the list.
        meter: Gives the time zone, the interval, and the name where there is one meter.
        options: What people say of the rows.
        description: What people say of the meters; None where they say nothing.
    """

    files: list[FileRows]
    meter: Meter
    options: FileOptions
    description: MeterDescription | None


@dataclass(frozen=True)
class Way:
    """How rows are read, and from when until when; equal ones make a part."""

    meter: Meter
    options: FileOptions
    own_units: tuple[Unit | None, ...]
    since: VersionChange | None = None
    until: VersionChange | None = None


Ways = Mapping[Way, Sequence[str]]
"""The meters that are read in each way."""


def ways_of(files: Sequence[FileRows], meter: Meter, options: FileOptions) -> Ways:
    """How the rows are read; nothing where no meter of them is described.

    Args:
        files: At least one.
        meter: Gives the time zone, the interval and the name of what nobody describes.
        options: What a person said, and people's descriptions.

    Raises:
        SourceError: In one line, when an option contradicts a description.
    """
    called = meter_names(files, meter)
    names = list(dict.fromkeys(name for file in files for name in _with_rows(file, called)))
    if not options.meters.keys() & set(names):
        return {}
    of_nobody = replace(options, meters={})
    ways: dict[Way, list[str]] = {}
    for name in names:
        description = options.meters.get(name)
        own_units = tuple(_own_unit(file, called, name) for file in files)
        if description is None:
            ways.setdefault(Way(meter, of_nobody, own_units), []).append(name)
            continue
        like = replace(described(meter, description), name=meter.name)
        read = [
            (since, _merged(of_nobody, description.name, measured))
            for since, measured in description.phases()
        ]
        changes = [
            VersionChange.between(since, before, after)
            for (_, before), (since, after) in pairwise(read)
            if since is not None
        ]
        for (_, how), since, until in zip(read, [None, *changes], [*changes, None], strict=True):
            ways.setdefault(Way(like, how, own_units, since, until), []).append(name)
    return ways


def parts_of(
    files: list[FileRows], ways: Ways, meter: Meter, descriptions: Descriptions
) -> Iterator[Part]:
    """The rows by how they are read, a part at a time; at least one.

    Args:
        files: Emptied: of ten million rows there is no room for two copies. A part is to be
            released before the next one is asked for.
        ways: The ways of the files (`ways_of`).
        meter: As for `ways_of`.
        descriptions: What people say.

    Raises:
        SourceError: In one line, for a row that can be of no version, or of two.
    """
    called = meter_names(files, meter)
    places = [_places(file, called) for file in files]
    empty: Part | None = None
    is_found = False
    for at, (way, group) in enumerate(ways.items(), start=1):
        rows = _files_of(files, places, called, group, way)
        if at == len(ways):
            files.clear()
            places.clear()
        part = Part(
            rows, replace(way.meter, name=group[0]), way.options, descriptions.get(group[0])
        )
        if len(rows[0].rows.numbers):
            is_found = True
            del rows
            yield part
        elif empty is None:
            empty = part
        del part
    # Versions without a row say nothing, unless there is no other.
    if empty is not None and not is_found:
        yield empty


def _with_rows(file: FileRows, called: dict[str, str]) -> list[str]:
    """The meters that have rows, in the order in which the file names them."""
    counts = np.bincount(file.rows.meters, minlength=len(file.rows.names))
    return [called[name] for name, count in zip(file.rows.names, counts, strict=True) if count]


def _places(file: FileRows, called: dict[str, str]) -> dict[str, Int32s]:
    """The positions of the rows of each meter that has some."""
    code_of = {name: code for code, name in enumerate(dict.fromkeys(called.values()))}
    smallest = np.min_scalar_type(len(code_of))
    codes = np.array([code_of[called[name]] for name in file.rows.names], dtype=smallest)
    of_rows = codes[file.rows.meters]
    order = np.argsort(of_rows, kind="stable").astype(np.int32)
    of_order = of_rows[order]
    ends = np.flatnonzero(of_order[1:] != of_order[:-1]) + 1
    found = np.split(order, ends) if len(order) else []
    names = list(code_of)
    return {names[int(of_rows[at[0]])]: at for at in found}


def _merged(options: FileOptions, name: str, measured: Measured) -> FileOptions:
    """The options with what people say of a meter during a version.

    Raises:
        SourceError: In one line, when both say something else.
    """
    for word, option, description in (
        ("quantity", options.quantity, measured.quantity),
        ("unit", options.unit, measured.unit),
        ("stamp", options.stamp, measured.stamp),
        ("sign", None if options.sign is Sign.CONSUMPTION else options.sign, measured.sign),
    ):
        if None not in (option, description) and option != description:
            raise SourceError(
                f"assets/meters.yaml: meter {name}: {word}: the file says {description}, but "
                f"--{word} says {option}; leave out the option, or correct the file: "
                f"usage-platform meters set NAME --{word} {option}"
            )
    return replace(
        options,
        quantity=measured.quantity or options.quantity,
        unit=measured.unit or options.unit,
        stamp=measured.stamp or options.stamp,
        sign=measured.sign or options.sign,
        register_size=measured.register_size,
        factor=measured.factor,
        step=measured.step,
    )


def _own_unit(file: FileRows, called: dict[str, str], name: str) -> Unit | None:
    """The unit that a file says of one meter, which may have a column of its own."""
    if not file.layout.has_meter_columns:
        return file.layout.unit
    return next((one.unit for one in file.layout.values if called.get(one.meter) == name), None)


def _files_of(
    files: Sequence[FileRows],
    places: Sequence[dict[str, Int32s]],
    called: dict[str, str],
    group: Sequence[str],
    way: Way,
) -> list[FileRows]:
    """The files with the rows of a part; at least one."""
    found = [
        _file_of_all(file, called, group, unit)
        if way.since is None and way.until is None and set(group) >= of_file.keys()
        else _rows_of(file, called, of_file, group, way, unit)
        for file, of_file, unit in zip(files, places, way.own_units, strict=True)
    ]
    return [file for file in found if len(file.rows.numbers)] or found[:1]


def _file_of_all(
    file: FileRows, called: dict[str, str], group: Sequence[str], unit: Unit | None
) -> FileRows:
    """A file of whose rows all are of one part: its columns are not copied."""
    code_of = {name: code for code, name in enumerate(group)}
    # A name without a row may be of another part.
    codes = np.array([code_of.get(called[name], 0) for name in file.rows.names], dtype=np.int32)
    part = replace(
        file.rows,
        meters=codes[file.rows.meters],
        names=tuple(group),
        bad_rows=(),
        row_count=0,
    )
    return FileRows(replace(file.layout, unit=unit), part)


def _rows_of(
    file: FileRows,
    called: dict[str, str],
    places: dict[str, Int32s],
    group: Sequence[str],
    way: Way,
    unit: Unit | None,
) -> FileRows:
    rows, members = file.rows, set(group)
    found = [places.get(name, np.empty(0, dtype=np.int32)) for name in group]
    wanted = np.concatenate(found)
    code = np.repeat(np.arange(len(group), dtype=np.int32), [len(one) for one in found])
    if len(group) > 1:
        # As they are in the file.
        order = np.argsort(wanted, kind="stable")
        wanted, code = wanted[order], code[order]
        del order
    # Both changes look at all rows, as for the versions before and after.
    within = np.ones(len(wanted), dtype=np.bool_)
    for change, is_new in ((way.since, True), (way.until, False)):
        if change is not None:
            within &= change.is_after(file, wanted, code, way.meter.timezone) == is_new
    wanted, code = wanted[within], code[within]
    part = TypedRows(
        rows.numbers[wanted],
        rows.times[wanted],
        rows.is_instant[wanted],
        rows.values[wanted],
        code,
        tuple(group),
        None if rows.end_wall is None else rows.end_wall[wanted],
        None if rows.end_instants is None else rows.end_instants[wanted],
        bad_rows=(),
        row_count=0,
        ends_of_day=rows.ends_of_day,
        # Those of a column a meter stand under no name.
        hours={
            name: own
            for name, own in rows.hours.items()
            if called.get(name, "") in members or not name
        },
        quality=None if rows.quality is None else rows.quality[wanted],
    )
    return FileRows(replace(file.layout, unit=unit), part)
