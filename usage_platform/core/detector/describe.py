"""The expected range of each slot of the week, as arrays and as a sentence.

Belongs here: descriptions of both kinds of detector. Not here: scoring by them (`model_timeline`).
"""

import numpy as np

from usage_platform.core.arrays import Floats
from usage_platform.core.detector.anomaly_score import ORDINARY
from usage_platform.core.detector.baseline.slot_forests import SlotForests
from usage_platform.core.detector.baseline.slots import slot_label, slots_per_week
from usage_platform.core.detector.expected import day_type
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.detector.score import not_below


def expected_range(detector: Detector) -> tuple[Floats, Floats, Floats]:
    """The expected range of each slot.

    Returns:
        Lower end, expected power, upper end: each of shape (slots of a week,), kW, from Monday
        00:00 local time; NaN for slots without an expected value.
    """
    if isinstance(detector, SlotForests):
        return detector.low, (detector.low + detector.high) / 2, detector.high
    if detector.baseline is None:
        unknown = np.full(slots_per_week(detector.meter), np.nan)
        return unknown, unknown, unknown
    middle = detector.baseline.expected[0].ravel()
    reach = ORDINARY * detector.baseline.spread[day_type(np.arange(7))].ravel()
    return not_below(middle - reach, detector.meter), middle, middle + reach


def in_words(detector: Detector) -> str:
    """A sentence: how many slots have an expected range, and where it is narrowest and widest."""
    low, middle, high = expected_range(detector)
    known = np.isfinite(middle) & (middle != 0)
    if not known.any():
        return "It is still learning: nothing is expected yet."
    width = np.where(known, (high - low) / np.abs(np.where(known, middle, 1)), np.nan)
    by_hour = np.nanmedian(np.where(known, width, np.inf).reshape(7 * 24, -1), axis=1)
    meter = detector.meter
    surest, least = (
        slot_label(int(hour) * meter.readings_per_hour, meter)
        for hour in (np.argmin(by_hour), np.argmax(np.where(np.isinf(by_hour), -1, by_hour)))
    )
    return (
        f"It knows {int(known.sum()):,} of {len(known):,} slots. It is surest in the hour from "
        f"{surest}, where the ordinary range is {by_hour.min():.0%} of the expected power wide, "
        f"and least sure in the hour from {least}."
    )
