"""A manifest made by hand: what a test does not look at has a value that fits."""

from dataclasses import replace
from typing import Any

import pandas as pd

from usage_platform.core.detector.manifest import Manifest


def manifest(version: str, begin: pd.Timestamp, **other: Any) -> Manifest:
    """Of one meter's model that judges from `begin` on; its history ended the day before.

    Args:
        version: Its name.
        begin: An instant.
        other: Fields that are to be other than here.
    """
    end = begin - pd.Timedelta(days=1)
    made = Manifest(
        version=version,
        method="blog",
        window_start=(end - pd.Timedelta(days=70)).isoformat(),
        window_end=end.isoformat(),
        judges_from=begin.isoformat(),
        trained_at=end.isoformat(),
        readings=1,
        left_out=0,
        meters=1,
        meters_learning=0,
        slots_trained=167,
        slots_thin=1,
        false_alarms_per_week=None,
        data_version=0,
        libraries={},
    )
    return replace(made, **other)
