"""Which weekly mails were sent, in the file `alerts/weekly.json` of the lake's `assets/`.

Belongs here: reading and writing it, whole. Not here: when a mail is due
(`core.alerts.weekly_schedule`).
"""

import json
from collections.abc import Mapping
from datetime import datetime

from pydantic import AwareDatetime, TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles

_FILE = "alerts/weekly.json"
_SENT = TypeAdapter(dict[str, AwareDatetime])


class WeeklyRecord:
    """The mails of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    def read(self) -> dict[str, datetime]:
        """By target, when the mail was due that was sent last.

        Raises:
            LakeError: When the file is damaged or cannot be read.
        """
        try:
            return _SENT.validate_python(self._assets.read_json(_FILE) or {})
        except ValidationError as error:
            raise self._assets.damaged(_FILE, error) from None

    def write(self, sent: Mapping[str, datetime]) -> None:
        """Replace what is kept, all or nothing."""
        self._assets.write_text(_FILE, json.dumps({k: at.isoformat() for k, at in sent.items()}))
