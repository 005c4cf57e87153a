"""What `meters.yaml` said when it had no mistake, and its newest mistake, as JSON beside it.

Belongs here: the two copies (`meters_read.json`, `meters_mistake.json`) and when they hold. Not
here: the file itself, and which content applies (`meters`).

Jobs on EMR, which have no YAML, read the copies; a file of thousands of meters is parsed once a
change; and while the file has a mistake, the copy applies.
"""

from contextlib import suppress
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription

READ_FILE = "meters_read.json"
_MISTAKE_FILE = "meters_mistake.json"


class _Copy(BaseModel):
    """Of one text; `digest` is the text's SHA-256 in hex."""

    model_config = ConfigDict(frozen=True)

    digest: str


class _Read(_Copy):
    meters: tuple[MeterDescription, ...]


class _Mistake(_Copy):
    line: str


_AnyCopy = TypeVar("_AnyCopy", bound=_Copy)


class MetersCopy:
    """The copies of one lake.

    Each is a file of its own: a process that keeps a mistake never replaces the content that
    another process has kept.

    Args:
        assets: The lake's `assets/`.
    """

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    def of(self, digest: str) -> Descriptions | None:
        """The content of the text with this digest; None if another one is kept, or none."""
        read = self._kept(READ_FILE, _Read)
        return None if read is None or read.digest != digest else _by_name(read)

    def last(self) -> Descriptions | None:
        """The content of the last text without a mistake; None if none is kept."""
        read = self._kept(READ_FILE, _Read)
        return None if read is None else _by_name(read)

    def mistake_of(self, digest: str) -> str | None:
        """The mistake in the text with this digest, in one line; None if none is known."""
        found = self._kept(_MISTAKE_FILE, _Mistake)
        return None if found is None or found.digest != digest else found.line

    # All writers suppress: who may only read the lake can still use it.
    def keep(self, digest: str, descriptions: Descriptions) -> None:
        """Keep the content of a text without a mistake."""
        read = _Read(digest=digest, meters=tuple(descriptions.values()))
        with suppress(LakeError):
            self._assets.write_text(READ_FILE, read.model_dump_json(exclude_none=True))

    def keep_mistake(self, digest: str, line: str) -> None:
        """Keep what is wrong with a text."""
        if self.mistake_of(digest) != line:
            with suppress(LakeError):
                found = _Mistake(digest=digest, line=line)
                self._assets.write_text(_MISTAKE_FILE, found.model_dump_json())

    def forget(self) -> None:
        """Remove the content, as there is no file: a later one with a mistake is a first one."""
        with suppress(LakeError):
            self._assets.delete(READ_FILE)

    def _kept(self, name: str, kind: type[_AnyCopy]) -> _AnyCopy | None:
        """A copy; None where it is missing or damaged."""
        try:
            text = self._assets.read_text(name)
            return None if text is None else kind.model_validate_json(text)
        except (UnicodeDecodeError, ValidationError):
            return None


def _by_name(read: _Read) -> Descriptions:
    return {one.name: one for one in read.meters}
