"""The peak warnings that were published and the days that were examined, in a file of `assets/`.

Belongs here: reading and writing it, whole. Not here: which day has a warning
(`core.forecast.peak_warning`), publishing it (`services.peak_warnings`).

The topic `episode` says what was published: the record is what was read there up to its offsets.
Without it all is read again, and days are examined again whose warnings are found there.
"""

from datetime import date
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from usage_platform.adapters.lake.files import LakeFiles

_FILE = "peak_warnings.json"


class PeakRecord(BaseModel):
    """What is kept.

    Attributes:
        topic: The id of the topic that was read.
        offsets: By partition, up to where.
        examined: By meter, the last local day of which it was decided whether it has a warning.
        warnings: By meter and name, the last message on each warning that is open and on the
            newest one.
    """

    topic: str = ""
    offsets: dict[int, int] = Field(default_factory=dict[int, int])
    examined: dict[str, date] = Field(default_factory=dict[str, date])
    warnings: dict[str, dict[str, dict[str, Any]]] = Field(
        default_factory=dict[str, dict[str, dict[str, Any]]]
    )

    def newest(self, meter: str) -> dict[str, Any] | None:
        """The last message on a meter's newest warning; None without one."""
        known = self.warnings.get(meter)
        return max(known.values(), key=lambda one: one["start"]) if known else None


class PeakRecords:
    """The record of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    def read(self) -> PeakRecord:
        """The record; an empty one before the first.

        Raises:
            LakeError: When the file is damaged or cannot be read.
        """
        try:
            return PeakRecord.model_validate(self._assets.read_json(_FILE) or {})
        except ValidationError as error:
            raise self._assets.damaged(_FILE, error) from None

    def write(self, record: PeakRecord) -> None:
        """Replace it, all or nothing.

        Raises:
            LakeError: When it cannot be written.
        """
        self._assets.write_text(_FILE, record.model_dump_json())
