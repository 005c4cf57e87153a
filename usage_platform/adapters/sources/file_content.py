"""Identifies the content of a source's file, which a new modification time alone does not change.

Belongs here: digests of files. Not here: reading readings from them (`csv_file`).
"""

import hashlib
from functools import lru_cache
from pathlib import Path

_MOST_FILES = 4096


def content_digest(path: Path) -> str:
    """A digest of a file's bytes; the file is read again only when its state has changed.

    Raises:
        OSError: When it cannot be read.
    """
    state = path.stat()
    return _digest(path, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=_MOST_FILES)
def _digest(path: Path, size: int, mtime_ns: int) -> str:
    del size, mtime_ns
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
