"""`usage-platform label`: what a person says of a stretch of a meter's time."""

from datetime import datetime

import pandas as pd

from usage_platform.core.labels import Verdict
from usage_platform.core.local_time import to_utc
from usage_platform.deployment import Deployment
from usage_platform.settings import SettingsError


def add_label(deployment: Deployment, start: str, end: str, says: str, note: str) -> str:
    """Add a label for the default meter; what was done, in words.

    Args:
        deployment: Where the labels are kept.
        start: ISO 8601, in the meter's local time unless it has an offset.
        end: The same, exclusive.
        says: A `Verdict`.
        note: A few words.

    Raises:
        SettingsError: In one line, for a time that cannot be read.
    """
    meter = deployment.settings.default_meter
    begins, ends = (_instant(text, meter.timezone) for text in (start, end))
    try:
        deployment.labels.add(meter.name, begins, ends, Verdict(says), note)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return f"{meter.name}: {begins:%Y-%m-%d %H:%M}Z to {ends:%Y-%m-%d %H:%M}Z is {says}"


def _instant(text: str, timezone: str) -> pd.Timestamp:
    try:
        clock = pd.Timestamp(datetime.fromisoformat(text)).as_unit("ns")
    except ValueError:  # As for years that nanoseconds do not reach.
        raise SettingsError(f"label: expected a time like 2024-03-05T13:00, got {text!r}") from None
    if clock.tzinfo is not None:
        return clock.tz_convert("UTC")
    instant = to_utc(pd.Series([clock]), timezone).iloc[0]
    if pd.isna(instant):
        raise SettingsError(f"label: {text} is skipped by the clock change; give another time")
    return instant
