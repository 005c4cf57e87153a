"""A model: the detectors of all meters, trained together, and which readings it is meant for.

Belongs here: the manifest and versions. Not here: files (adapters), training (`training`), which
model scores which reading (`model_timeline`).
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from datetime import datetime
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from usage_platform.core.detector.baseline.slot_forests import SlotForests
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.options import Method
from usage_platform.core.meters import Meter

Detector = SlotForests | DetectorModel
"""What scores one meter: the blog's forests, or the detector."""


@dataclass(frozen=True)
class Manifest:
    """What a model was made from. Times are UTC instants in ISO 8601.

    Attributes:
        version: Its name; the same readings and settings give the same version.
        method: How it was trained (`detector.options.Method`).
        window_start: The oldest instant of the history, inclusive.
        window_end: The end of the history, exclusive.
        judges_from: The first instant that the model scores, not before the end of the history, so
            that no reading is scored by a model that has seen it.
        trained_at: When.
        readings: Readings in the history.
        left_out: Readings of the history that people's labels kept out of it.
        meters: Meters.
        meters_learning: Meters with too little history for more than rules.
        slots_trained: Slots (weekday and time of day) with something expected, over all meters.
        slots_thin: Slots with too few comparables.
        false_alarms_per_week: Days a week on which a healthy meter may raise an alarm; None for a
            method that has no such budget.
        data_version: Version of the Delta table `readings` that was read.
        libraries: Versions of the libraries that made it.
        meters_failed: Meters whose training failed; they keep the detector that they had before.
        days_left: Days of history that the newest meter still lacks before it has expected values.
    """

    version: str
    method: str
    window_start: str
    window_end: str
    judges_from: str
    trained_at: str
    readings: int
    left_out: int
    meters: int
    meters_learning: int
    slots_trained: int
    slots_thin: int
    false_alarms_per_week: float | None
    data_version: int
    libraries: Mapping[str, str]
    # Not in the manifests of earlier releases.
    meters_failed: int = 0
    days_left: int = 0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    @property
    def end(self) -> pd.Timestamp:
        """The end of the history, exclusive."""
        return pd.Timestamp(self.window_end)

    @property
    def begin(self) -> pd.Timestamp:
        """The first instant that the model scores."""
        return pd.Timestamp(self.judges_from)


@dataclass(frozen=True)
class Model:
    """A manifest and its detectors by meter."""

    manifest: Manifest
    detectors: Mapping[str, Detector]


class VersionDigest:
    """What a model's version is made of, from its detectors one at a time."""

    def __init__(self) -> None:
        self._digest = hashlib.sha256()
        self._last: str | None = None

    def add(self, name: str, detector: Detector) -> None:
        """Add a meter's detector; the meters come in the order of their names.

        Raises:
            ValueError: If they do not.
        """
        if self._last is not None and name <= self._last:
            raise ValueError(f"detectors of a version: {name!r} comes after {self._last!r}")
        self._last = name
        self._digest.update(name.encode() + b"\0")
        for part in _content(detector):
            self._digest.update(part + b"\0")

    def version(self, judges_from: datetime) -> str:
        """The name of a model with these detectors that scores from an instant on."""
        return f"{judges_from:%Y%m%dT%H%M}-{self._digest.hexdigest()[:8]}"


def model_version(judges_from: datetime, detectors: Mapping[str, Detector]) -> str:
    """Name a model by the time from which it scores and by what it is."""
    digest = VersionDigest()
    for name in sorted(detectors):
        digest.add(name, detectors[name])
    return digest.version(judges_from)


def bytes_held(detector: Detector) -> int:
    """The bytes of what a detector holds in memory: its arrays, and some hundred of the rest."""
    return sum(map(len, _content(detector)))


def _content(value: object) -> Iterator[bytes]:
    """Everything that a detector holds, in the order of its fields, whatever they are called."""
    if isinstance(value, Method):
        yield _method_text(value)
    elif isinstance(value, np.ndarray):
        array = cast("npt.NDArray[np.generic]", value)
        yield str(array.shape).encode()
        yield array.tobytes()
    elif isinstance(value, Meter):
        for part in value.as_stored().values():
            yield repr(part).encode()
    elif is_dataclass(value):
        for field in fields(value):
            yield from _content(getattr(value, field.name))
    else:
        yield repr(value).encode()


def _method_text(method: Method) -> bytes:
    """What stands for a method in a version: made of its value alone, which models keep on disk.

    It is the `repr` that an enum named `Method` has by Python 3.11, in which the first versions
    were written; another text would give every model a new version and every anomaly a new id.
    """
    return f"<Method.{method.value.upper()}: {method.value!r}>".encode()
