"""The calendar that the settings describe: public holidays, and a file of further closing days.

Belongs here: reading the file of `USAGE_CLOSED_DAYS`. Not here: what the lines mean
(`core.time.calendar`).
"""

from usage_platform.core.time.calendar import Calendar, calendar_named
from usage_platform.settings.settings import Settings, SettingsError


def chosen_calendar(settings: Settings) -> Calendar:
    """The days on which the building is closed.

    Raises:
        SettingsError: In one line, when the file of closing days cannot be read.
    """
    path = settings.closed_days
    try:
        lines = path.read_text("utf-8").splitlines() if path else []
        return calendar_named(settings.holidays, lines)
    except OSError as error:
        raise SettingsError(
            f"USAGE_CLOSED_DAYS={path}: {error.strerror}; expected a file with one date such "
            "as 2024-07-05 a line"
        ) from None
    except ValueError as error:
        raise SettingsError(f"USAGE_CLOSED_DAYS={path}: {error}") from None
