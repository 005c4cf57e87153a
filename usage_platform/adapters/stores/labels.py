"""The labels of people, in a file of the lake's `assets/`.

Belongs here: reading and adding. Not here: what labels do (`core.feedback.labels`).
"""

from typing import Any

import pandas as pd
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.shared_json import SharedJson
from usage_platform.core.feedback.labels import LABEL_COLUMNS, NO_LABELS, Verdict

_NAME = "labels"
_LABELS = f"{_NAME}.json"
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
        self._file = SharedJson(assets, _NAME)

    def read(self) -> pd.DataFrame:
        """All labels (`LABEL_COLUMNS`), in the order in which they were given."""
        rows = self._checked(self._assets.read_json(_LABELS))
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
        """Add a label; one of the same meter and time span is replaced.

        Labels that other processes add at the same time are kept.

        Raises:
            ValueError: When the time span ends before it begins.
            LakeError: When the labels cannot be read or written.
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

        def with_label(found: object) -> list[dict[str, str]]:
            rows = self._checked(found)
            return [old for old in rows if any(old[k] != row[k] for k in LABEL_COLUMNS[:3])] + [row]

        self._file.change(with_label)

    def _checked(self, found: Any) -> list[dict[str, str]]:  # noqa: ANN401 - any JSON
        rows = found or []
        try:
            _ROWS.validate_python(rows)
        except ValidationError as error:
            raise self._assets.damaged(_LABELS, error) from None
        return rows
