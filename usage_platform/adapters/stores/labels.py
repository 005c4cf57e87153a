"""The labels of people, in a file of the lake's `assets/`.

Belongs here: reading and adding. Not here: what labels do (`core.feedback.labels`).
"""

import json

import pandas as pd
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.core.feedback.labels import LABEL_COLUMNS, NO_LABELS, Verdict

_LABELS = "labels.json"
_INSTANT = "datetime64[ns, UTC]"


class _Row(BaseModel):
    """One label as it is kept."""

    meter: str
    start: AwareDatetime
    end: AwareDatetime
    says: Verdict
    note: str


_ROWS = TypeAdapter(list[_Row])


class LabelStore:
    """The labels of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    def read(self) -> pd.DataFrame:
        """All labels (`LABEL_COLUMNS`), in the order in which they were given."""
        rows = self._rows()
        if not rows:
            return NO_LABELS
        frame = pd.DataFrame(rows)[LABEL_COLUMNS]
        times = {
            name: pd.to_datetime(frame[name], utc=True, format="ISO8601")
            for name in ("start", "end")
        }
        return frame.assign(**times).astype(dict.fromkeys(times, _INSTANT))

    def add(
        self, meter: str, start: pd.Timestamp, end: pd.Timestamp, says: Verdict, note: str
    ) -> None:
        """Add a label; one of the same meter and stretch of time is replaced.

        Raises:
            ValueError: When the stretch ends before it begins.
        """
        if end <= start:
            raise ValueError(f"label: expected an end after {start}, got {end}")
        row = {
            "meter": meter,
            "start": start.isoformat(),
            "end": end.isoformat(),
            "says": says.value,
            "note": note,
        }
        kept = [old for old in self._rows() if any(old[k] != row[k] for k in LABEL_COLUMNS[:3])]
        self._assets.write_text(_LABELS, json.dumps([*kept, row], indent=1))

    def _rows(self) -> list[dict[str, str]]:
        rows = self._assets.read_json(_LABELS) or []
        try:
            _ROWS.validate_python(rows)
        except ValidationError as error:
            first = error.errors()[0]
            where = "/".join(str(part) for part in first["loc"])
            raise self._assets.damaged(_LABELS, ValueError(f"{where}: {first['msg']}")) from None
        return rows
