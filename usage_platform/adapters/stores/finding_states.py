"""The states of findings that people have set, in a file of the lake's `assets/`.

Belongs here: reading and setting them. Not here: the findings (`lake.findings_table`).
"""

from collections.abc import Mapping

import pandas as pd
from pydantic import AwareDatetime, BaseModel, TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.shared_json import SharedJson
from usage_platform.core.findings.states import FindingState, StateChange

_NAME = "finding_states"


class _Kept(BaseModel):
    """A state as it is kept."""

    state: FindingState
    at: AwareDatetime


_STATES = TypeAdapter(dict[str, _Kept])


class FindingStates:
    """The states of one lake's findings."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets
        self._file = SharedJson(assets, _NAME)

    def read(self) -> Mapping[str, StateChange]:
        """The last change by the id of the finding; a finding that is not there is new.

        Raises:
            LakeError: When the file is damaged or cannot be read.
        """
        kept = self._checked(self._assets.read_json(f"{_NAME}.json"))
        return {
            finding: StateChange(one.state, pd.Timestamp(one.at).tz_convert("UTC"))
            for finding, one in kept.items()
        }

    def set(self, finding: str, change: StateChange) -> None:
        """Set the state of a finding; states that other processes set at the same time are kept.

        Args:
            finding: Its id.
            change: The new state.

        Raises:
            LakeError: When the file is damaged, or cannot be read or written.
        """
        row = {"state": change.state.value, "at": change.at.isoformat()}

        def with_state(found: object) -> dict[str, object]:
            kept = _STATES.dump_python(self._checked(found), mode="json")
            return {**kept, finding: row}

        self._file.change(with_state)

    def _checked(self, found: object) -> dict[str, _Kept]:
        try:
            return _STATES.validate_python(found or {})
        except ValidationError as error:
            raise self._assets.damaged(f"{_NAME}.json", error) from None
