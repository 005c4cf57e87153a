"""Training a model on the table `readings`.

Belongs here: choosing the window, reading it, training each meter, and the manifest. Called by the
asset locally and by whatever trains elsewhere. Not here: the forests themselves (`core`).
"""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from importlib.metadata import version

import pandas as pd

from usage_platform.adapters.lake_reader import LakeReader
from usage_platform.adapters.lake_tables import READINGS
from usage_platform.core.local_time import local_day_bounds
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.model import Manifest, Model, model_version
from usage_platform.core.slot_forests import MAX_HISTORY_DAYS, train_slot_forests

_LIBRARIES = ("scikit-learn", "numpy", "pandas")


class TrainingError(ValueError):
    """There is nothing to train on; one line for the user."""


def train_model(
    reader: LakeReader,
    registry: MeterRegistry,
    until: date | None,
    now: datetime,
    progress: Callable[[str, int, int], None],
    max_history_days: int = MAX_HISTORY_DAYS,
) -> Model:
    """Train the forests of every meter.

    Args:
        reader: The lake's tables.
        registry: The known meters; the default one's zone says where days begin.
        until: The local day that the history ends before; by default the day after the newest
            reading. The model judges readings from its beginning on.
        now: The time of training, for the manifest.
        progress: Called with (meter, slots done, slots).
        max_history_days: How far the history goes back.

    Raises:
        TrainingError: When `readings` holds nothing in the window.
    """
    zone = registry.default.timezone
    # Asked for first: what is read then holds this version at least.
    data_version = reader.state(READINGS).version
    end = local_day_bounds(until or _day_after_newest(reader, zone), zone)[0]
    start = end - pd.Timedelta(days=max_history_days)
    rows = reader.rows(READINGS, ["meter", "event_time", "value"], start.date(), end.date())
    history = rows[(rows["event_time"] >= start) & (rows["event_time"] < end)]
    if history.empty:
        raise TrainingError(
            f"readings: nothing from {start:%Y-%m-%d} to {end:%Y-%m-%d} to train on; play some "
            "readings first or choose another day with 'until'"
        )
    forests = {}
    for name, part in history.groupby("meter"):
        meter = registry.get(str(name))
        forests[meter.name] = train_slot_forests(
            part, meter, lambda done, total, m=meter.name: progress(m, done, total)
        )
    trained = sum(int(f.trained.sum()) for f in forests.values())
    slots = sum(len(f.trained) for f in forests.values())
    manifest = Manifest(
        version=model_version(end, forests),
        method="blog",
        window_start=start.isoformat(),
        window_end=end.isoformat(),
        trained_at=now.isoformat(),
        readings=len(history),
        meters=len(forests),
        slots_trained=trained,
        slots_thin=slots - trained,
        data_version=data_version,
        libraries={name: version(name) for name in _LIBRARIES},
    )
    return Model(manifest, forests)


def history_span(reader: LakeReader) -> tuple[pd.Timestamp, pd.Timestamp] | None:
    """The oldest and the newest instant in `readings`, UTC; None where there is no reading."""
    if not reader.exists(READINGS):
        return None
    times = reader.rows(READINGS, ["event_time"])["event_time"]
    return None if times.empty else (times.min(), times.max())


def _day_after_newest(reader: LakeReader, zone: str) -> date:
    span = history_span(reader)
    if span is None:
        raise TrainingError("readings: the table is empty; play some readings first")
    return span[1].tz_convert(zone).date() + timedelta(days=1)
