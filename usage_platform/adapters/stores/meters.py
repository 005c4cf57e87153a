"""The descriptions of meters, which people write: `meters.yaml` in the lake's `assets/`.

Belongs here: which of them apply, and editing the file beside others. Not here: its form and
meaning (`core.meter_descriptions`), the text itself (`meters_text`), copies of it (`meters_copy`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from usage_platform.adapters.lake.errors import LakeError, lake_errors_in_one_line
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.lease_store import store_of
from usage_platform.adapters.stores.meters_copy import MetersCopy
from usage_platform.adapters.stores.written_text import MistakeError, checked_text, written_text
from usage_platform.core.meter_descriptions.description import Descriptions, MeterDescription
from usage_platform.core.meter_descriptions.parsing import parse_descriptions

_NAME, _ENDING = "meters", ".yaml"
METERS_FILE = f"{_NAME}{_ENDING}"
_TRIES = 20
_NO_FILE = ""
"""The digest of no text."""


@dataclass(frozen=True)
class AppliedDescriptions:
    """The descriptions that apply.

    Attributes:
        descriptions: Those of the file or, while it has a mistake, the last ones without one.
        mistake: The mistake in one line; empty without one.
    """

    descriptions: Descriptions
    mistake: str = ""

    @property
    def notice(self) -> str:
        """What is said to people while the file has a mistake, in one line; else empty."""
        if not self.mistake:
            return ""
        return f"the last descriptions of meters without a mistake apply: {self.mistake}"


class MetersStore:
    """The descriptions of one lake."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets
        self._copy = MetersCopy(assets)
        self._last: tuple[str, AppliedDescriptions] | None = None

    @property
    def place(self) -> str:
        """Where the file is, for errors."""
        return f"{self._assets.root}/{METERS_FILE}"

    def read(self) -> Descriptions:
        """The descriptions in the file as it is now; none where there is no file.

        Raises:
            MistakeError: In one line that names file, meter and field, for invalid content.
            LakeError: Where the file cannot be read, or changed and no YAML can be read here.
        """
        found = self.applied()
        if found.mistake:
            raise MistakeError(found.mistake)
        return found.descriptions

    def applied(self) -> AppliedDescriptions:
        """The descriptions that apply: a mistake in the file stops nothing that worked before.

        Raises:
            MistakeError: For a mistake in a file of which no content without one was ever read.
            LakeError: As `read`.
        """
        try:
            text = written_text(self._assets, METERS_FILE)
        except MistakeError as mistake:
            return self._last_without(mistake)
        digest = _NO_FILE if text is None else _digest(text)
        if self._last is None or self._last[0] != digest:
            self._last = digest, self._applied(text, digest)
        return self._last[1]

    def _applied(self, text: str | None, digest: str) -> AppliedDescriptions:
        if text is None:
            self._copy.forget()
            return AppliedDescriptions({})
        kept = self._copy.of(digest)
        if kept is not None:
            return AppliedDescriptions(kept)
        try:
            found = self._parsed(text, digest)
        except MistakeError as mistake:
            self._copy.keep_mistake(digest, str(mistake))
            return self._last_without(mistake)
        self._copy.keep(digest, found)
        return AppliedDescriptions(found)

    def _last_without(self, mistake: MistakeError) -> AppliedDescriptions:
        """The last descriptions without a mistake; raises the mistake if there are none."""
        last = self._copy.last()
        if last is None:
            raise mistake
        return AppliedDescriptions(last, str(mistake))

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
            before = {} if text is None else self._parsed(text, _digest(text))
            new = changed(before)
            edited = with_entry(text or "", new)
            with lake_errors_in_one_line(self.place):
                is_written = store.replace(text, edited)
            if is_written:
                self._copy.keep(_digest(edited), {**before, new.name: new})
                return new
        raise LakeError(f"{self.place}: keeps changing; try again")

    def _parsed(self, text: str, digest: str) -> Descriptions:
        try:
            return descriptions_in(text, self.place)
        except ImportError:
            mistake = self._copy.mistake_of(digest)
            if mistake is not None:
                raise MistakeError(mistake) from None
            raise LakeError(
                f"{self.place}: changed since it was last read, and no YAML can be read here; run "
                "'usage-platform meters list' where the platform runs, then try again"
            ) from None


def descriptions_in(text: str, place: str) -> Descriptions:
    """The descriptions that a text holds.

    Args:
        text: YAML.
        place: Where it is from.

    Raises:
        MistakeError: In one line that names the place, when something in the text is wrong.
        ImportError: No YAML can be read here.
    """
    from usage_platform.adapters.stores.plain_yaml import yaml_texts

    try:
        return parse_descriptions(yaml_texts(text))
    except ValueError as error:
        raise MistakeError(f"{place}: {error}") from None


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
