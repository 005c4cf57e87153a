"""`usage-platform label`: label a time span of a meter."""

from usage_platform.core.feedback.labels import Verdict
from usage_platform.core.time.user_times import moment
from usage_platform.settings.settings import SettingsError
from usage_platform.wiring.platform import Deployment


def add_label(deployment: Deployment, start: str, end: str, says: str, note: str) -> str:
    """Add a label for the default meter and return a one-line confirmation.

    Args:
        deployment: Gives the label store and the default meter.
        start: ISO 8601, in the meter's local time unless it has an offset.
        end: Same format, exclusive.
        says: A `Verdict`.
        note: Free text.

    Raises:
        SettingsError: In one line, for a time that cannot be read.
    """
    meter = deployment.settings.default_meter
    try:
        begins, ends = (moment(text, meter.timezone) for text in (start, end))
    except ValueError as error:
        raise SettingsError(f"label: {error}") from None
    try:
        deployment.labels.add(meter.name, begins, ends, Verdict(says), note)
    except ValueError as error:
        raise SettingsError(str(error)) from None
    return f"{meter.name}: {begins:%Y-%m-%d %H:%M}Z to {ends:%Y-%m-%d %H:%M}Z labelled {says}"
