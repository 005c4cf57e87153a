"""`usage-platform alerts acknowledge`: acknowledge an episode, as the page does."""

import re
from uuid import uuid4

import pandas as pd

from usage_platform.adapters.stores.reviews import ReviewStore
from usage_platform.core.feedback.reviews import Act, Review
from usage_platform.core.meters import is_meter_name
from usage_platform.settings.settings import SettingsError

# Those of peak warnings have an offset.
_ID = re.compile(
    r"(?P<episode>\d{4}-\d\d-\d\dT\d\d:\d\d(Z|[+-]\d\d:\d\d))"
    r"(:(opened|closed|withdrawn)(:\d+)?)?",
    re.ASCII,
)


def add_acknowledgement(store: ReviewStore, name: str, note: str, now: pd.Timestamp) -> str:
    """Add an acknowledgement and return a one-line confirmation.

    Args:
        store: Where reviews are kept.
        name: `meter/episode`, as at the beginning of the id of an alert.
        note: Free text.
        now: The current time, UTC.

    Raises:
        SettingsError: In one line, for what is no such name, or too long a note.
    """
    # An id has the alert's state behind the episode, which has a colon itself.
    meter, _, rest = name.rpartition("/")
    found = _ID.fullmatch(rest)
    if not is_meter_name(meter) or found is None:
        raise SettingsError(
            "alerts acknowledge: expected METER/TIME such as central-library/2024-03-05T18:05Z, "
            f"got {name[:100]!r}"
        )
    episode = found["episode"]
    try:
        review = Review(uuid4().hex[:12], now, meter, episode, Act.ACKNOWLEDGE, None, note.strip())
    except ValueError as error:
        raise SettingsError(f"alerts acknowledge: {error}") from None
    store.add(review)
    return f"{meter}: episode {episode} acknowledged"
