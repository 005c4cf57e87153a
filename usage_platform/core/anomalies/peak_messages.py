"""Peak warnings as messages of the topic `episode`: that a day may bring a new peak of the month.

Belongs here: the content of the messages, and the outcome. Not here: when a warning is due
(`core.forecast.peak_warning`), the words of alerts (`core.alerts`).

A warning is an episode without an anomalous reading: no table of anomalies has it, so that neither
the budget of alarms nor labels know of it. It is named by the local midnight at which its day
begins, with its offset; other episodes have names in UTC, which end in Z.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

from usage_platform.core.anomalies.episode_messages import (
    EpisodeEvent,
    EpisodeStatus,
    episode_event,
)
from usage_platform.core.anomalies.message_parsing import Instant, parse_episode
from usage_platform.core.meters import Meter
from usage_platform.core.readings.series import Series
from usage_platform.core.time.units import NS_A_MINUTE

PEAK_WARNING = "peak_warning"
"""The kind of the episode."""

MEDIUM_FROM = 0.5
"""From this probability on a warning is of medium severity, below it of low severity."""

_LONGEST_DAY = pd.Timedelta(hours=36)
"""A local day is shorter, whatever the clocks do."""

_KEPT = (
    "peak_kw",
    "probability",
    "expected_kw",
    "expected_low_kw",
    "expected_high_kw",
    "expected_at",
    "cost",
    "currency",
)


class Outcome(StrEnum):
    """What became of a day with a warning."""

    EXCEEDED = "exceeded"
    HELD = "held"
    UNKNOWN = "unknown"


class _Fields(BaseModel):
    model_config = ConfigDict(strict=True, allow_inf_nan=False)

    kind: Literal["peak_warning"]
    status: Literal[EpisodeStatus.OPENED, EpisodeStatus.CLOSED]
    peak_kw: float
    probability: float
    expected_kw: float
    expected_low_kw: float
    expected_high_kw: float
    expected_at: Instant
    cost: float | None = None
    currency: str | None = None
    outcome: Annotated[str, AfterValidator(Outcome)] | None = None
    highest_kw: float | None = None


_FIELDS: TypeAdapter[_Fields] = TypeAdapter(_Fields)


@dataclass(frozen=True)
class PeakWarning:
    """A day that may bring a new peak of its month.

    Attributes:
        start: The local midnight at which the day begins, ns since 1970 UTC.
        end: The one at which it ends.
        peak_kw: The month's highest reading before the day.
        probability: That a reading of the day is higher.
        expected_kw: The day's highest reading, the median.
        low_kw: It is at least as high 95 % of the time.
        high_kw: It is at most as high 95 % of the time.
        expected_at: Start of the interval in which it is expected, ns since 1970 UTC.
        cost: By how much a highest reading of `expected_kw` raises the month's demand charges,
            before taxes; None without a demand charge.
        currency: Of the cost, as in ISO 4217; None without one.
    """

    start: int
    end: int
    peak_kw: float
    probability: float
    expected_kw: float
    low_kw: float
    high_kw: float
    expected_at: int
    cost: float | None = None
    currency: str | None = None


def parse_warning(value: bytes | None) -> dict[str, Any] | None:
    """A message of the topic `episode` on a peak warning, by field; None if it is none.

    Whoever reaches the broker can write to the topic.
    """
    message = parse_episode(value)
    if message is None:
        return None
    try:
        _FIELDS.validate_json(json.dumps(message))
    except ValidationError:
        return None
    # All readings of the span are read until the warning is over.
    span = pd.Timestamp(message["end"]) - pd.Timestamp(message["start"])
    is_day = message["status"] == EpisodeStatus.CLOSED or pd.Timedelta(0) < span <= _LONGEST_DAY
    return message if is_day else None


def warning_name(start: int, meter: Meter) -> str:
    """The name of a day's episode, such as 2024-03-05T00:00-05:00.

    Args:
        start: The local midnight, ns since 1970 UTC.
        meter: Gives the local time.
    """
    return _utc(start).tz_convert(meter.zone).isoformat(timespec="minutes")


def opened_warning(warning: PeakWarning, meter: Meter) -> EpisodeEvent:
    """The message that a day may bring a new peak; a function of the warning."""
    at = _utc(warning.expected_at).tz_convert(meter.zone)
    content = {
        "episode": warning_name(warning.start, meter),
        "start": _utc(warning.start),
        "end": _utc(warning.end),
        "kind": PEAK_WARNING,
        "readings": 0,
        "excess_kwh": None,
        "severity": "medium" if warning.probability >= MEDIUM_FROM else "low",
        "explanation": (
            f"with a probability of {warning.probability:.0%} this day exceeds the month's peak so "
            f"far of {warning.peak_kw:,.1f} kW; its highest reading is expected about "
            f"{at:%H:%M}, {warning.expected_kw:,.1f} kW ({warning.low_kw:,.1f} to "
            f"{warning.high_kw:,.1f})"
        ),
        # Not rounded: readings are compared with it.
        "peak_kw": warning.peak_kw,
        "probability": round(warning.probability, 3),
        "expected_kw": round(warning.expected_kw, 2),
        "expected_low_kw": round(warning.low_kw, 2),
        "expected_high_kw": round(warning.high_kw, 2),
        "expected_at": at,
        "cost": warning.cost,
        "currency": warning.currency,
    }
    return episode_event(content, EpisodeStatus.OPENED, _utc(warning.start), meter)


def closed_warning(
    opened: Mapping[str, Any], day: Series, meter: Meter, *, is_over: bool
) -> EpisodeEvent | None:
    """The message that ends a warning: the peak was exceeded, or the day is over.

    Args:
        opened: The message that opened it, as `message_parsing.parse_episode` gives it.
        day: The readings of its day that are there.
        meter: The meter.
        is_over: Whether no more readings of the day are waited for.

    Returns:
        None while the warning stands. A day that lacks readings and has not exceeded the peak has
        an unknown outcome.
    """
    start, end = (pd.Timestamp(opened[name]).value for name in ("start", "end"))
    interval = meter.interval_minutes * NS_A_MINUTE
    above = np.flatnonzero(day.values > opened["peak_kw"])
    if len(above):
        at = int(day.instants[above[0]])
        kw = float(day.values[above[0]])
        said = f"the month's peak so far of {opened['peak_kw']:,.1f} kW was exceeded: {kw:,.1f} kW"
        return _closed(opened, Outcome.EXCEEDED, at + interval, kw, said, meter)
    is_whole = len(day.instants) == (end - start) // interval
    if not (is_whole or is_over):
        return None
    kw = float(day.values.max()) if len(day.values) else None
    highest = "no reading came" if kw is None else f"the day's highest reading was {kw:,.1f} kW"
    if is_whole:
        said = f"the month's peak so far of {opened['peak_kw']:,.1f} kW has held: {highest}"
        return _closed(opened, Outcome.HELD, end, kw, said, meter)
    said = f"readings of the day are missing, so that its peak is not known: {highest}"
    return _closed(opened, Outcome.UNKNOWN, end, kw, said, meter)


def _closed(
    opened: Mapping[str, Any], outcome: Outcome, at: int, kw: float | None, said: str, meter: Meter
) -> EpisodeEvent:
    content = {
        "episode": opened["episode"],
        "start": pd.Timestamp(opened["start"]),
        "end": _utc(at),
        "kind": PEAK_WARNING,
        "readings": 0,
        "excess_kwh": None,
        "severity": opened["severity"],
        "explanation": said,
        **{name: opened.get(name) for name in _KEPT},
        "outcome": outcome.value,
        "highest_kw": None if kw is None else round(kw, 2),
    }
    return episode_event(content, EpisodeStatus.CLOSED, _utc(at), meter)


def _utc(instant: int) -> pd.Timestamp:
    return pd.Timestamp(instant, tz="UTC")
