"""JSON files of the lake that several processes change: each change is applied, none is lost.

Belongs here: reading, changing and writing such a file as one step. Not here: files of one writer
(`files`), how each kind of storage compares and swaps (`lease_store`).
"""

import json
import random
import time
from collections.abc import Callable
from functools import cached_property
from typing import Any

from usage_platform.adapters.lake.errors import LakeError, lake_errors_in_one_line
from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.lease_store import LeaseStore, store_of

_TRIES = 50
_LONGEST_WAIT_SECONDS = 0.1


class SharedJson:
    """One JSON file that is changed by compare-and-swap.

    Args:
        files: The folder.
        name: The file's name, without `.json`.
    """

    def __init__(self, files: LakeFiles, name: str) -> None:
        self._files = files
        self._name = name

    def change(self, changed: Callable[[Any], Any]) -> None:
        """Replace the content by a function of it; other processes' changes are kept.

        Args:
            changed: Gives the new content for the present one, which is None where the file is
                missing or empty. It is called again when another process was faster.

        Raises:
            LakeError: When the file is damaged, cannot be read or written, or keeps changing.
        """
        for _ in range(_TRIES):
            with lake_errors_in_one_line(self._files.root):
                text = self._store.read()
                new = json.dumps(changed(self._parsed(text)), indent=1)
                if self._store.replace(text, new):
                    return
            time.sleep(random.uniform(0, _LONGEST_WAIT_SECONDS))  # noqa: S311 - no secret
        raise LakeError(f"{self._files.root}/{self._name}.json: keeps changing; try again")

    def _parsed(self, text: str | None) -> Any:  # noqa: ANN401 - any JSON
        try:
            return json.loads(text) if text else None
        except ValueError as error:
            raise self._files.damaged(f"{self._name}.json", error) from None

    @cached_property
    def _store(self) -> LeaseStore:
        return store_of(self._files.root, self._name)
