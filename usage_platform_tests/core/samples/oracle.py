"""Readings from samples computed again with pandas: all at once, and not by the package's rules.

Belongs here: the oracle, and what the tests around it share. Not here: the tests.
"""

from collections.abc import Sequence

import pandas as pd

from usage_platform.core.measurement import Quantity, Unit
from usage_platform.core.meter_descriptions.samples import SampleDescription
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.samples.parsing import SampleMessage, parse_samples
from usage_platform.core.samples.stage import SampleStage

Sample = tuple[pd.Timestamp, float]
START = pd.Timestamp("2024-03-05T06:00Z")


def describe(quantity: Quantity, unit: Unit, gap: int = 15, size: float | None = None):
    return SampleDescription(
        path=("$.value",),
        quantity=quantity,
        unit=unit,
        time_path="$.time",
        register_size=size,
        max_gap=gap,
    )


def message(meter: str, time: pd.Timestamp, value: float) -> SampleMessage:
    text = f'{{"time": "{time.isoformat()}", "value": {value!r}}}'
    return SampleMessage(meter.encode(), text.encode(), int(time.timestamp() * 1000))


def readings_of(stage: SampleStage, now: pd.Timestamp | None = None) -> dict:
    """What the stage publishes now, by meter and start."""
    frame = stage.due_readings(0 if now is None else now.value)
    rows = zip(frame["meter"], frame["ts"], frame["value"], strict=True)
    return {(meter, ts): value for meter, ts, value in rows}


def run_stage(
    batches: Sequence[Sequence[Sample]],
    meter: Meter,
    description: SampleDescription,
    clocks: Sequence[pd.Timestamp] = (),
) -> tuple[dict, list]:
    """The readings published last, and what was said of each sample.

    Args:
        batches: The samples in the order of their arrival.
        meter: Their meter.
        description: What they are.
        clocks: The time after each batch; none: intervals close by samples only.
    """
    stage, registry = SampleStage(), MeterRegistry(known={meter.name: meter})
    book = {meter.name: description}
    published, reasons, offset = {}, [], 0
    newest = max(time for batch in batches for time, _ in batch)
    for number, batch in enumerate(batches):
        parsed = parse_samples([message(meter.name, *sample) for sample in batch], book, registry)
        places = [(0, offset + at) for at in range(len(batch))]
        offset += len(batch)
        reasons += stage.take(parsed, places, book, registry).reasons
        published |= readings_of(stage, clocks[number] if clocks else None)
    return published | readings_of(stage, newest + pd.Timedelta(days=1, hours=1)), reasons


def expected_readings(
    samples: Sequence[Sample], meter: Meter, description: SampleDescription
) -> dict[tuple[str, pd.Timestamp], float]:
    """The readings of all intervals that the samples cover.

    The samples become a step function of time, which is cut at the ends of the intervals.
    """
    values = pd.Series(dict(samples)).sort_index() * description.scale
    values.index = pd.DatetimeIndex(values.index)
    gap = pd.Timedelta(minutes=description.max_gap)
    steps = values.index.to_series().diff().shift(-1)
    if description.quantity is Quantity.POWER:
        rates, lengths = values, steps.fillna(gap).clip(upper=gap)
    else:
        change = values if description.quantity is Quantity.ENERGY else values.diff()
        rates = change.shift(-1) / (steps / pd.Timedelta(hours=1))
        lengths = steps.where((steps <= gap) & (rates >= 0))
        if description.quantity is Quantity.REGISTER:
            lengths[_unknown_from(values.tolist())] = None
    pieces = pd.DataFrame({"start": values.index, "kw": rates, "length": lengths}).dropna()
    pieces = pieces.assign(end=pieces["start"] + pieces["length"])
    interval = pd.Timedelta(minutes=meter.interval_minutes)
    found = {}
    if pieces.empty:
        return found
    # All intervals on the clock of the zone: each begins where the one before ended.
    first = pieces["start"].min().tz_convert(meter.timezone)
    start = first - (first.tz_localize(None) - first.tz_localize(None).floor(interval))
    start = start.tz_convert("UTC")
    while start < pieces["end"].max():
        end = start + interval
        inside = pieces[(pieces["start"] < end) & (pieces["end"] > start)]
        hours = inside["end"].clip(upper=end) - inside["start"].clip(lower=start)
        if hours.sum() >= 0.8 * interval:
            weights = hours / hours.sum()
            found[meter.name, start] = float((inside["kw"] * weights).sum())
        start = end
    return found


def _unknown_from(values: list[float]) -> list[bool]:
    """The samples from which on to the next one it is unknown what a register counted."""
    unknown, before, rows = [False] * len(values), 0.0, 0
    for at in range(1, len(values)):
        last, value = values[at - 1], values[at]
        if rows and value == last and rows < 12:
            unknown[at - 1] = True
            rows += 1
        elif value < last:
            before, rows = last, 1
        else:
            if rows and value != last:
                unknown[at - 1] = before <= value <= 2 * before - last
            rows = 0
    return unknown
