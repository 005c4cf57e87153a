"""Opening files of readings: plain, gzip or in a zip archive, in any of the usual encodings.

Belongs here: bytes and text of one file, and errors of the file system. Not here: what the text
says (`csv_file`, `core.meter_files`).
"""

import gzip
import io
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from lzma import LZMAError
from pathlib import Path
from typing import IO, cast
from zipfile import BadZipFile, ZipFile, ZipInfo

from usage_platform.adapters.sources.unpacked_size import LimitedReader
from usage_platform.core.readings.source import SourceError

HEAD_LINES = 20_000
_TAIL_LINES = 50
_TAIL_BYTES = 16_384
_BLOCK_BYTES = 1 << 20
_START_BYTES = 512
_MOST_IN_MEMORY = 256 << 20
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_BINARY = bytes({*range(9), *range(14, 32)})


@dataclass(frozen=True)
class OpenedFile:
    """One file of readings.

    Attributes:
        path: Where it is.
        label: What to call it in errors and bad rows.
        member: Where in an open zip archive it is; None for a file of its own.
    """

    path: Path
    label: str
    member: tuple[ZipFile, ZipInfo] | None = None

    @property
    def is_packed(self) -> bool:
        """Whether its bytes are not those of the file."""
        return self.member is not None or self.path.suffix.lower() in (".gz", ".gzip")

    @contextmanager
    def binary(self) -> Iterator[IO[bytes]]:
        """Its bytes, unpacked.

        Raises:
            SourceError: It is missing, a folder, damaged, or cannot be read.
        """
        try:
            if self.member is not None:
                archive, info = self.member
                with archive.open(info) as packed:
                    yield packed
            elif self.is_packed:
                with gzip.open(self.path, "rb") as packed:
                    size = self.path.stat().st_size
                    yield io.BufferedReader(LimitedReader(packed, self.label, size), _BLOCK_BYTES)
            else:
                with self.path.open("rb") as plain:
                    yield plain
        except IsADirectoryError:
            raise SourceError(
                f"{self.label}: is a folder; give its files, as '{self.path}/*.csv'"
            ) from None
        except FileNotFoundError:
            raise SourceError(f"{self.label}: no such file ({self.path}); check the path") from None
        except (gzip.BadGzipFile, BadZipFile, EOFError, zlib.error, LZMAError) as error:
            kind = "gzip" if self.member is None else "zip"
            raise SourceError(
                f"{self.label}: damaged {kind} ({error}); fetch or pack the file again"
            ) from None
        except OSError as error:
            raise SourceError(
                f"{self.label}: cannot be read ({error.strerror or error}); check it"
            ) from None

    @contextmanager
    def seekable(self) -> Iterator[IO[bytes]]:
        """Its bytes, unpacked, for readers that jump back and forth; what is packed, in memory.

        Raises:
            SourceError: What is packed is too large for memory; or as for `binary`.
        """
        with self.binary() as binary:
            if not self.is_packed:
                yield binary
                return
            content = binary.read(_MOST_IN_MEMORY + 1)
        if len(content) > _MOST_IN_MEMORY:
            raise SourceError(
                f"{self.label}: unpacks to more than {_MOST_IN_MEMORY >> 20} MiB; unpack it and "
                "give the file"
            )
        yield io.BytesIO(content)

    def start(self) -> bytes:
        """Its first bytes, which tell its format.

        Raises:
            SourceError: As for `binary`.
        """
        with self.binary() as binary:
            return binary.read(_START_BYTES)

    @contextmanager
    def text(self, encoding: str) -> Iterator[Iterator[str]]:
        """Its lines; a byte that is none in the encoding costs its row at most, not the file.

        Raises:
            SourceError: As for `binary`.
        """
        with self.binary() as binary:
            yield io.TextIOWrapper(cast("IO[bytes]", binary), encoding, errors="replace")

    def encoding(self) -> str:
        """The encoding, by its byte order mark, or UTF-8, or else Windows-1252.

        Raises:
            SourceError: It is no text; or as for `binary`.
        """
        with self.binary() as binary:
            start = binary.read(_BLOCK_BYTES)
        for mark, encoding in _MARKS:
            if start.startswith(mark):
                return encoding
        first, _, _ = start.partition(b"\n")
        if start.translate(None, _BINARY) != start and (
            first.translate(None, _BINARY) != first or b"\n" not in start
        ):
            raise SourceError(
                f"{self.label}: no text in UTF-8; expected a CSV file, or a gzip whose name ends "
                "in .gz; unpack it, or save it as CSV in UTF-8"
            )
        try:
            start.rpartition(b"\n")[0].decode()
        except UnicodeDecodeError:
            return "cp1252"
        return "utf-8"

    def ends(self, encoding: str) -> tuple[list[str], list[str]]:
        """Its first lines and its last ones; of a short file all lines are first ones.

        Raises:
            SourceError: As for `binary`.
        """
        with self.text(encoding) as lines:
            head = list(islice(lines, HEAD_LINES))
            if len(head) < HEAD_LINES:
                return head, []
            if self.is_packed or encoding == "utf-16":
                return head, list(deque(lines, _TAIL_LINES))
        with self.binary() as binary:
            binary.seek(-min(_TAIL_BYTES, self.path.stat().st_size), io.SEEK_END)
            tail = binary.read().decode(encoding, "replace").splitlines(keepends=True)
        return head, tail[1:][-_TAIL_LINES:]
