"""The tariffs of a lake, in a file of its `assets/` that people edit.

Belongs here: reading the file as texts. Not here: what they mean (`core.tariffs.parsing`).
"""

from collections.abc import Hashable

import yaml

from usage_platform.adapters.lake.errors import LakeError, one_line
from usage_platform.adapters.lake.files import LakeFiles
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
        try:
            text = self._assets.read_text(TARIFFS)
            return None if text is None else parse_tariffs(yaml_texts(text), self.file)
        except TariffError as error:
            raise LakeError(str(error)) from None
        except UnicodeDecodeError:
            raise LakeError(f"{self.file}: expected text in UTF-8") from None
        except yaml.YAMLError as error:
            raise LakeError(f"{self.file}: expected YAML, got {_syntax(error)}") from None


def yaml_texts(text: str) -> object:
    """YAML as dictionaries, lists and texts.

    Numbers stay texts: a price must not pass through a binary fraction, and YAML 1.1 reads 22:00 as
    1,320 and NO as false.

    Raises:
        yaml.YAMLError: For what is not YAML, and for a key that comes twice.
    """
    return _Texts(text).get_single_data()


class _Texts(yaml.BaseLoader):
    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the field {key.value!r} a second time", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _syntax(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        mark = error.problem_mark
        return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"
    return one_line(str(error))
