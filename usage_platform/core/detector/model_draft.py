"""A model's manifest, from its detectors one at a time.

Belongs here: what a manifest says, and the window of a model's history. Not here: training
(`training`), the manifest's fields and versions (`manifest`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
import pandas as pd

from usage_platform.core.detector.baseline.slot_forests import MAX_HISTORY_DAYS, SlotForests
from usage_platform.core.detector.baseline.slots import slots_per_week
from usage_platform.core.detector.manifest import Detector, Manifest, VersionDigest
from usage_platform.core.detector.model import DetectorModel
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.schedule import judges_from
from usage_platform.core.detector.train import HISTORY_DAYS
from usage_platform.core.time.local_time import local_day_bounds


@dataclass(frozen=True)
class Provenance:
    """Where a model comes from, for its manifest; it has no influence on the model's version.

    Attributes:
        trained_at: The time of training.
        data_version: Version of the Delta table `readings` that was read.
        libraries: Versions of the libraries that trained it.
    """

    trained_at: datetime
    data_version: int
    libraries: Mapping[str, str]


def history_days(method: Method) -> int:
    """How many days of readings a model is trained on."""
    return MAX_HISTORY_DAYS if method is Method.BLOG else HISTORY_DAYS


def history_window(until: date, zone: str, method: Method) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The first instant of the history that ends before a local day, and its end; UTC."""
    end = local_day_bounds(until, zone)[0]
    return end - pd.Timedelta(days=history_days(method)), end


class ModelDraft:
    """What is known of a model while its detectors come, one at a time."""

    def __init__(
        self, until: date, zone: str, options: TrainingOptions, provenance: Provenance
    ) -> None:
        """Begin a model.

        Args:
            until: The local day that its history ends before.
            zone: The zone of that day.
            options: How it is trained.
            provenance: Where it comes from.
        """
        self._until, self._zone = until, zone
        self._options, self._provenance = options, provenance
        self._digest = VersionDigest()
        self._readings = self._left_out = self._failed = 0
        self._meters = self._learning = self._slots = self._trained = self._days_left = 0

    def count(self, readings: int, left_out: int, failed: int = 0) -> None:
        """Add readings of the history, those of them that were left out, and failed meters."""
        self._readings += readings
        self._left_out += left_out
        self._failed += failed

    def add(self, name: str, detector: Detector) -> None:
        """Add a meter's detector; the meters come in the order of their names."""
        self._digest.add(name, detector)
        trained = _slots_trained(detector)
        self._meters += 1
        self._learning += not trained
        self._slots += slots_per_week(detector.meter)
        self._trained += trained
        if isinstance(detector, DetectorModel):
            self._days_left = max(self._days_left, detector.days_left)

    def manifest(self) -> Manifest:
        """The manifest of the model with these detectors."""
        options, provenance = self._options, self._provenance
        start, end = history_window(self._until, self._zone, options.method)
        begin = judges_from(self._until, self._zone)
        has_budget = options.method is not Method.BLOG
        return Manifest(
            version=self._digest.version(begin),
            method=options.method.value,
            window_start=start.isoformat(),
            window_end=end.isoformat(),
            judges_from=begin.isoformat(),
            trained_at=provenance.trained_at.isoformat(),
            readings=self._readings,
            left_out=self._left_out,
            meters=self._meters,
            meters_learning=self._learning,
            slots_trained=self._trained,
            slots_thin=self._slots - self._trained,
            false_alarms_per_week=options.false_alarms_per_week if has_budget else None,
            data_version=provenance.data_version,
            libraries=provenance.libraries,
            meters_failed=self._failed,
            days_left=self._days_left,
        )


def _slots_trained(detector: Detector) -> int:
    if isinstance(detector, SlotForests):
        return int(detector.trained.sum())
    if detector.baseline is not None:
        return int(np.isfinite(detector.baseline.expected[0]).sum())
    return 0
