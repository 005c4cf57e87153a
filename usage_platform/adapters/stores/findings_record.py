"""The last computation of `usage_findings`, in a file of the lake's `assets/`.

Belongs here: reading and writing it. Not here: when findings are computed
(`services.usage_findings`).
"""

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from usage_platform.adapters.lake.files import LakeFiles

_NAME = "usage_findings.json"


class FindingsRun(BaseModel):
    """One computation of the findings of all meters.

    Attributes:
        as_of: The moment of which they are; the local days before it count.
        digest: A digest of what they were computed from.
        meters: How many meters were looked at.
        failed: Why a meter has no new findings, by meter.
    """

    model_config = ConfigDict(frozen=True)

    as_of: AwareDatetime
    digest: str
    meters: int
    failed: dict[str, str]


class FindingsRecord:
    """The record of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    def read(self) -> FindingsRun | None:
        """The last computation; None before the first.

        Raises:
            LakeError: When the file is damaged or cannot be read.
        """
        found = self._assets.read_json(_NAME)
        if not found:
            return None
        try:
            return FindingsRun.model_validate(found)
        except ValidationError as error:
            raise self._assets.damaged(_NAME, error) from None

    def write(self, run: FindingsRun) -> None:
        """Record a computation that has ended.

        Raises:
            LakeError: When it cannot be written.
        """
        self._assets.write_text(_NAME, run.model_dump_json(indent=1))
