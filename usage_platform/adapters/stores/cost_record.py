"""From what each month of `usage_cost` was computed, in a file of the lake's `assets/`.

Belongs here: reading and writing it. Not here: which months are due (`services.usage_cost`).
"""

from collections.abc import Mapping

from pydantic import TypeAdapter, ValidationError

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.shared_json import SharedJson

_NAME = "usage_cost"
_DIGESTS = TypeAdapter(dict[str, str])


class CostRecord:
    """The record of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets
        self._file = SharedJson(assets, _NAME)

    def read(self) -> Mapping[str, str]:
        """By month, such as 2024-03: a digest of what its rows were computed from.

        Raises:
            LakeError: When it is damaged or cannot be read.
        """
        return self._checked(self._assets.read_json(f"{_NAME}.json"))

    def write(self, month: str, digest: str) -> None:
        """Record that a month was computed.

        Raises:
            LakeError: When it is damaged or cannot be written.
        """
        self._file.change(lambda found: {**self._checked(found), month: digest})

    def _checked(self, found: object) -> dict[str, str]:
        try:
            return _DIGESTS.validate_python(found or {})
        except ValidationError as error:
            raise self._assets.damaged(f"{_NAME}.json", error) from None
