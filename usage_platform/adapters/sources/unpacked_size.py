"""How much a packed file may unpack to, so that a small one cannot fill memory or disk.

Belongs here: the limits and their check. Not here: what is packed (`opened_file`, `zip_archive`,
`workbook`).
"""

import io
from typing import IO

from usage_platform.core.readings.source import SourceError

MOST_UNPACKED = 4 << 30
MOST_TIMES = 250
"""Rows of readings are packed to a tenth or less of their size, hardly ever to a hundredth."""
_ALWAYS_FINE = 64 << 20


def check_unpacked_size(label: str, unpacked: int, packed: int) -> None:
    """Refuse what unpacks to more than 4 GiB, or beyond 64 MiB to more than 250 times its size.

    Args:
        label: What to call the file.
        unpacked: Bytes so far, or in all.
        packed: Bytes of the packed file.

    Raises:
        SourceError: It is too much.
    """
    if unpacked > MOST_UNPACKED:
        limit = f"{MOST_UNPACKED >> 30} GiB"
    elif unpacked > max(_ALWAYS_FINE, MOST_TIMES * packed):
        limit = f"{MOST_TIMES} times its size"
    else:
        return
    raise SourceError(
        f"{label}: unpacks to more than {limit}, which no file of readings should; check where it "
        "comes from, then unpack it and give the files"
    )


class LimitedReader(io.RawIOBase):
    """Unpacked bytes, up to the limit."""

    def __init__(self, unpacked: IO[bytes] | io.BufferedIOBase, label: str, packed: int) -> None:
        """Read from a stream of unpacked bytes.

        Args:
            unpacked: The stream.
            label: What to call the file in errors.
            packed: Bytes of the packed file.
        """
        self._unpacked = unpacked
        self._label = label
        self._packed = packed
        self._done = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """Read some bytes.

        Raises:
            SourceError: They are more than the limit.
        """
        found = self._unpacked.read(len(buffer))
        buffer[: len(found)] = found
        self._done += len(found)
        check_unpacked_size(self._label, self._done, self._packed)
        return len(found)
