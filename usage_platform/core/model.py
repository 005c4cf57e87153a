"""A model: the forests of all meters, trained together, and which model judges which reading.

Belongs here: the manifest, versions, and the choice of a model by event time. Not here: files.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.slot_forests import SlotForests


@dataclass(frozen=True)
class Manifest:
    """What a model was made from. Times are UTC instants in ISO 8601.

    Attributes:
        version: Its name; the same readings and settings give the same version.
        method: How it was trained.
        window_start: The oldest instant of the history, inclusive.
        window_end: The end of the history, exclusive; the model judges readings from here on, so
            that no reading is judged by a model that has seen it.
        trained_at: When.
        readings: Readings in the history.
        meters: Meters.
        slots_trained: Slots with a forest, over all meters.
        slots_thin: Slots with too few comparables.
        data_version: Version of the Delta table `readings` that was read.
        libraries: Versions of the libraries that made it.
    """

    version: str
    method: str
    window_start: str
    window_end: str
    trained_at: str
    readings: int
    meters: int
    slots_trained: int
    slots_thin: int
    data_version: int
    libraries: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @property
    def judges_from(self) -> pd.Timestamp:
        """The first instant that the model judges."""
        return cast("pd.Timestamp", pd.Timestamp(self.window_end))


@dataclass(frozen=True)
class Model:
    """A manifest and its forests by meter."""

    manifest: Manifest
    forests: Mapping[str, SlotForests]


def model_version(window_end: datetime, forests: Mapping[str, SlotForests]) -> str:
    """Name a model by the end of its history and by what it is."""
    digest = hashlib.sha256()
    for name, forest in sorted(forests.items()):
        digest.update(name.encode() + b"\0" + repr(forest.meter).encode())
        for part in (forest.starts, forest.cuts, forest.scores, forest.low, forest.high):
            digest.update(part.tobytes())
    return f"{window_end:%Y%m%dT%H%M}-{digest.hexdigest()[:8]}"


def judged_by(event_time: pd.Series, manifests: Sequence[Manifest]) -> npt.NDArray[np.int64]:
    """Which model judges each reading: the newest whose history ended before it.

    A function of the reading's time and of the models alone, so that the live stream and a
    backfill agree however late, early or often a reading comes.

    Args:
        event_time: n interval starts, datetime64[ns, UTC].
        manifests: The models, ascending by `window_end`.

    Returns:
        n positions in `manifests`; -1 where the reading is older than every model's end.
    """
    ends = np.array([m.judges_from.tz_convert("UTC").value for m in manifests], dtype=np.int64)
    instants = event_time.to_numpy("datetime64[ns]").astype(np.int64)
    return np.searchsorted(ends, instants, side="right") - 1
