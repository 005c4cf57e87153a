"""Forward and reverse flows of a usage point: which is read, or their difference.

Belongs here: choosing flows and netting them. Not here: all else of Green Button (`green_button`).
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from usage_platform.core.measurement import Quantity, Sign
from usage_platform.core.meter_files.espi import FLOWS, Flow, MeterReading, ReadingType
from usage_platform.core.meter_files.findings import Uncertain
from usage_platform.core.meter_files.options import CsvColumns, FileOptions
from usage_platform.core.readings.source import BadRow, SourceError

_NET_CODE = next(code for code, flow in FLOWS.items() if flow is Flow.NET)


def chosen_flows(
    label: str,
    readings: Sequence[MeterReading],
    columns: CsvColumns,
    options: FileOptions,
    notes: list[str],
    uncertain: list[Uncertain],
) -> list[MeterReading]:
    """The readings of the flow that a person named, or of each usage point's only one.

    Forward and reverse of a usage point are netted with `--sign net`.

    Args:
        label: What to call the file.
        readings: Of one quantity.
        columns: `value` names the flow.
        options: Gives the sign, also of single usage points.
        notes: Where it is added what is not read.
        uncertain: Where it is added what a person must say.

    Raises:
        SourceError: There is no such flow, or the flows cannot be netted.
    """
    if columns.value:
        return _named(label, readings, columns.value, notes)
    points: defaultdict[str, list[MeterReading]] = defaultdict(list)
    for one in readings:
        points[one.point].append(one)
    found: list[MeterReading] = []
    for own in points.values():
        flows = {_flow(one) for one in own}
        if flows in ({Flow.FORWARD}, {Flow.NET}):
            found += own
        elif flows == {Flow.FORWARD, Flow.REVERSE} and _is_net(own[0], options):
            found.append(_netted(label, own, options))
        else:
            uncertain.append(_unclear(label, own[0].point, sorted(flows)))
            found += [one for one in own if _flow(one) is min(flows)]
    return found


def _is_net(one: MeterReading, options: FileOptions) -> bool:
    said = options.meters.get(one.point)
    return Sign.NET in (options.sign, None if said is None else said.sign)


def _flow(one: MeterReading) -> Flow:
    return FLOWS[one.type.flow]


def _named(
    label: str, readings: Sequence[MeterReading], name: str, notes: list[str]
) -> list[MeterReading]:
    found = [one for one in readings if _flow(one) == name]
    others = sorted({_flow(one) for one in readings} - {name})
    if not found:
        raise SourceError(
            f"{label}: no flow {name!r}; the flows are {', '.join(others)}; name one with "
            "--value-column"
        )
    if others:
        notes.append(f"{label}: flows not read: {', '.join(others)}")
    return found


def _unclear(label: str, point: str, flows: Sequence[Flow]) -> Uncertain:
    what = f"{label}: usage point {point!r} has the flow {' and '.join(flows)}"
    net = (
        ", or take forward minus reverse with --sign net"
        if list(flows) == [Flow.FORWARD, Flow.REVERSE]
        else ""
    )
    return Uncertain(
        "flow",
        f"--value-column {flows[0]}",
        f"{what}; name the one to read with --value-column, such as --value-column {flows[0]}{net}",
    )


def _netted(label: str, own: Sequence[MeterReading], options: FileOptions) -> MeterReading:
    """Forward minus reverse of one usage point, where both have a value for the same interval.

    Raises:
        SourceError: There are several series of a flow, or they are or may be registers.
    """
    point = own[0].point
    by_flow = {_flow(one): one for one in own}
    kinds = {options.quantity or one.type.quantity for one in own}
    if None in kinds:
        raise SourceError(
            f"{label}: usage point {point!r} has values that may be a register, which cannot be "
            "netted; if each is the energy of its interval, say so with --quantity energy"
        )
    if len(own) != len(by_flow) or Quantity.REGISTER in kinds:
        why = "registers" if Quantity.REGISTER in kinds else "several series of a flow"
        raise SourceError(
            f"{label}: usage point {point!r} has {why}, which cannot be netted; name the flow to "
            "read with --value-column"
        )
    forward, reverse = (_once(label, by_flow[flow]) for flow in (Flow.FORWARD, Flow.REVERSE))
    _, at, of = np.intersect1d(
        forward.starts, reverse.starts, assume_unique=True, return_indices=True
    )
    same = forward.durations[at] == reverse.durations[of]
    at, of = at[same], of[same]
    alone = [
        BadRow(
            label,
            int(number),
            _flow(one),
            f"{value:.15g}",
            "has no value of the other flow for the same interval; both are needed to net them",
        )
        for one, paired in ((forward, at), (reverse, of))
        for number, value in zip(
            np.delete(one.numbers, paired), np.delete(one.values, paired), strict=True
        )
    ]
    # In the finer of both units, so that whole numbers stay whole.
    least = min(forward.type.power_of_ten, reverse.type.power_of_ten)
    net = _scaled(forward, least)[at] - _scaled(reverse, least)[of]
    found: ReadingType = replace(forward.type, flow=_NET_CODE, power_of_ten=least)
    return MeterReading(
        point,
        forward.name,
        found,
        forward.numbers[at],
        forward.starts[at],
        forward.durations[at],
        net,
        _joined(forward.quality[at], reverse.quality[of]),
        (*forward.bad_rows, *reverse.bad_rows, *alone),
    )


def _joined(
    one: "npt.NDArray[np.object_]", other: "npt.NDArray[np.object_]"
) -> "npt.NDArray[np.object_]":
    """Both qualities, each once."""
    pairs = zip(one, other, strict=True)
    return np.array([" ".join(dict.fromkeys(q for q in pair if q)) for pair in pairs], dtype=object)


def _scaled(
    one: MeterReading, power_of_ten: int
) -> "np.ndarray[tuple[int, ...], np.dtype[np.float64]]":
    return one.values * 10.0 ** (one.type.power_of_ten - power_of_ten)


def _once(label: str, one: MeterReading) -> MeterReading:
    """Each start once, in order.

    Raises:
        SourceError: A start has two values.
    """
    order = np.lexsort((one.numbers, one.starts))
    starts, values = one.starts[order], one.values[order]
    repeats = np.append(starts[1:] == starts[:-1], False)[: len(starts)]
    differs = np.flatnonzero(repeats[:-1] & (values[1:] != values[:-1]))
    if len(differs):
        first, second = one.numbers[order][differs[0] : differs[0] + 2]
        raise SourceError(
            f"{label}:{second}: has another value than {label}:{first} for the same interval and "
            "flow; keep one of them"
        )
    keep = order[~repeats]
    return replace(
        one,
        numbers=one.numbers[keep],
        starts=one.starts[keep],
        durations=one.durations[keep],
        values=one.values[keep],
        quality=one.quality[keep],
    )
