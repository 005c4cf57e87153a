"""The tariffs of a lake, in a file of its `assets/` that people edit.

Belongs here: reading the file. Not here: what it means (`core.tariffs.parsing`).
"""

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.plain_yaml import yaml_texts
from usage_platform.adapters.stores.written_text import written_text
from usage_platform.core.tariffs.book import TariffBook
from usage_platform.core.tariffs.parsing import TariffError, parse_tariffs

TARIFFS = "tariffs.yaml"


class TariffStore:
    """The tariffs of one lake, as they are in the file at each call."""

    def __init__(self, assets: LakeFiles) -> None:
        self._assets = assets

    @property
    def file(self) -> str:
        """Where the file is."""
        return f"{self._assets.root}/{TARIFFS}"

    def read(self) -> TariffBook | None:
        """The tariffs; None where there is no file.

        Raises:
            LakeError: In one line that names the file, the tariff and the field, for content that
                is no tariff.
        """
        text = written_text(self._assets, TARIFFS)
        if text is None:
            return None
        try:
            content = yaml_texts(text)
        except ValueError as error:
            raise LakeError(f"{self.file}: {error}") from None
        try:
            return parse_tariffs(content, self.file)
        except TariffError as error:
            raise LakeError(str(error)) from None
