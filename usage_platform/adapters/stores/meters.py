"""The descriptions of meters, which people write: `meters.yaml` in the lake's `assets/`.

Belongs here: reading it, also where no YAML can be read, and editing it beside others. Not here:
its form and meaning (`core.meter_descriptions`), the text itself (`meters_text`).

What the file says is also kept as JSON with the digest of the text (`meters_read.json`). Jobs on
EMR, which have no YAML, read that; and a file of thousands of meters is parsed once a change.
"""

from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256

from pydantic import BaseModel, ConfigDict, ValidationError

from usage_platform.adapters.lake.errors import LakeError, lake_errors_in_one_line
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.lease_store import store_of
from usage_platform.adapters.stores.written_text import checked_text, written_text
from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription
from usage_platform.core.meter_descriptions.parsing import parse_descriptions

_NAME, _ENDING = "meters", ".yaml"
METERS_FILE = f"{_NAME}{_ENDING}"
_READ = "meters_read.json"
_TRIES = 20


class _Read(BaseModel):
    """What a text says, as JSON."""

    model_config = ConfigDict(frozen=True)

    digest: str
    meters: tuple[MeterDescription, ...]


class MetersStore:
    """The descriptions of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets
        self._last: tuple[str, Descriptions] | None = None

    @property
    def place(self) -> str:
        """Where the file is, for errors."""
        return f"{self._assets.root}/{METERS_FILE}"

    def read(self) -> Descriptions:
        """The descriptions in the file as it is now; none where there is no file.

        Raises:
            LakeError: In one line that names file, meter and field, for invalid content; or where
                the file changed and no YAML can be read here.
        """
        text = written_text(self._assets, METERS_FILE)
        if text is None:
            return {}
        digest = sha256(text.encode()).hexdigest()
        if self._last is None or self._last[0] != digest:
            kept = self._kept(digest)
            self._last = digest, self._parsed_and_kept(text, digest) if kept is None else kept
        return self._last[1]

    def change(self, changed: Callable[[Descriptions], MeterDescription]) -> MeterDescription:
        """Replace or add one description, beside other editors and processes: none is lost.

        Args:
            changed: Gives the new description for the present ones; called again when the file
                changed meanwhile.

        Returns:
            The new description.

        Raises:
            ValueError: What `changed` raises.
            LakeError: As for `read`; and when the file cannot be written, or keeps changing.
        """
        from usage_platform.adapters.stores.meters_text import with_entry

        store = store_of(self._assets.root, _NAME, _ENDING)
        for _ in range(_TRIES):
            with lake_errors_in_one_line(self.place):
                text = checked_text(store.read, self.place)
            new = changed({} if text is None else self._parsed(text))
            with lake_errors_in_one_line(self.place):
                if store.replace(text, with_entry(text or "", new)):
                    return new
        raise LakeError(f"{self.place}: keeps changing; try again")

    def _parsed(self, text: str) -> Descriptions:
        try:
            from usage_platform.adapters.stores.plain_yaml import yaml_texts
        except ImportError:
            raise LakeError(
                f"{self.place}: changed since it was last read, and no YAML can be read here; run "
                "'usage-platform meters list' where the platform runs, then try again"
            ) from None
        try:
            return parse_descriptions(yaml_texts(text))
        except ValueError as error:
            raise LakeError(f"{self.place}: {error}") from None

    def _parsed_and_kept(self, text: str, digest: str) -> Descriptions:
        found = self._parsed(text)
        read = _Read(digest=digest, meters=tuple(found.values()))
        # Without it the next process parses the text again.
        with suppress(LakeError):
            self._assets.write_text(_READ, read.model_dump_json(exclude_none=True))
        return found

    def _kept(self, digest: str) -> Descriptions | None:
        """What is kept of the text with this digest; None if that is another one, or damaged."""
        text = self._assets.read_text(_READ)
        if text is None:
            return None
        try:
            read = _Read.model_validate_json(text)
        except ValidationError:
            return None
        return {one.name: one for one in read.meters} if read.digest == digest else None
