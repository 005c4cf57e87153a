"""`usage-platform label`: label a time span of a meter."""

from usage_platform.adapters.stores.labels import LabelStore
from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.meters import Meter
from usage_platform.core.time.user_times import parse_instant
from usage_platform.settings.settings import SettingsError


def add_label(store: LabelStore, meter: Meter, start: str, end: str, says: str, note: str) -> str:
    """Add a label and return a one-line confirmation.

    Args:
        store: Where the labels are kept.
        meter: The meter.
        start: ISO 8601, in the meter's local time unless it has an offset.
        end: Same format, exclusive.
        says: A `Verdict`.
        note: Free text.

    Raises:
        SettingsError: In one line, for a time that cannot be read.
    """
    try:
        begins, ends = (parse_instant(text, meter.timezone) for text in (start, end))
    except ValueError as error:
        raise SettingsError(f"label: {error}") from None
    try:
        store.add(meter.name, begins, ends, Verdict(says), note)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return f"{meter.name}: {begins:%Y-%m-%d %H:%M}Z to {ends:%Y-%m-%d %H:%M}Z labelled {says}"
