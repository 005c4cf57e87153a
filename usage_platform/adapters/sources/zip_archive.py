"""Zip archives of meter files: which of their members are read.

Belongs here: the members and the limits of an archive. Not here: reading a member (`meter_file`).
"""

import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO
from zipfile import (
    ZIP_BZIP2,
    ZIP_DEFLATED,
    ZIP_LZMA,
    ZIP_STORED,
    BadZipFile,
    ZipFile,
    ZipInfo,
)

from usage_platform.adapters.sources.opened_file import OpenedFile
from usage_platform.adapters.sources.unpacked_size import check_unpacked_size
from usage_platform.core.meter_files.file_order import natural_order
from usage_platform.core.readings.source import SourceError

MEMBER_ENDINGS = (".csv", ".tsv", ".txt", ".dat", ".xlsx", ".xml")
_PACKED = (".zip", ".gz", ".gzip", ".bz2", ".xz", ".7z", ".rar", ".tar", ".tgz", ".zst")
_KNOWN_METHODS = (ZIP_STORED, ZIP_DEFLATED, ZIP_BZIP2, ZIP_LZMA)
_IS_ENCRYPTED = 1
_MOST_MEMBERS = 10_000
_SHOWN = 5


@dataclass(frozen=True)
class ZipContent:
    """What an archive holds.

    Attributes:
        files: The members that are read, in natural order.
        notes: Which members are not read, in a line for people.
    """

    files: tuple[OpenedFile, ...]
    notes: tuple[str, ...]


@contextmanager
def opened_archive(file: OpenedFile) -> Iterator[ZipFile]:
    """An archive, open.

    Raises:
        SourceError: It is damaged, or cannot be read.
    """
    with file.seekable() as content, opened_parts(content, file.label) as archive:
        yield archive


@contextmanager
def opened_parts(content: IO[bytes], label: str) -> Iterator[ZipFile]:
    """The parts of an archive of which the bytes are open.

    Raises:
        SourceError: It is damaged.
    """
    try:
        with ZipFile(content) as archive:
            yield archive
    except (BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError) as error:
        raise SourceError(f"{label}: damaged zip ({error}); fetch or pack the file again") from None


def zip_content(archive: ZipFile, file: OpenedFile) -> ZipContent:
    """The members that are meter files by their names; the others are named in a note.

    Members that systems add (`__MACOSX`, names that begin with a point) are left out silently.

    Raises:
        SourceError: An archive within the archive, a member with a password or packed by an
            unknown method or with an unprintable name, too many members, too much to unpack, or
            no meter file.
    """
    label = file.label
    members = [info for info in archive.infolist() if not info.is_dir() and not _is_system(info)]
    if len(members) > _MOST_MEMBERS:
        raise SourceError(
            f"{label}: holds {len(members):,} files; expected at most {_MOST_MEMBERS:,}; unpack it "
            "and give some of them at a time"
        )
    members.sort(key=lambda info: natural_order(info.filename))
    for info in members:
        _check(info, label)
    unpacked = sum(info.file_size for info in members)
    check_unpacked_size(label, unpacked, file.path.stat().st_size)
    read = [info for info in members if _ending(info) in MEMBER_ENDINGS]
    others = [repr(info.filename) for info in members if _ending(info) not in MEMBER_ENDINGS]
    expected = ", ".join(MEMBER_ENDINGS)
    shown = ", ".join(others[:_SHOWN]) + (
        f" and {len(others) - _SHOWN:,} more" * (len(others) > _SHOWN)
    )
    if not read:
        holds = f"holds no file of readings ({shown})" if others else "holds no file"
        raise SourceError(f"{label}: {holds}; expected files that end in {expected}")
    notes = (f"{label}: not read, as no files of readings: {shown}",) if others else ()
    files = [OpenedFile(file.path, f"{label}/{info.filename}", (archive, info)) for info in read]
    return ZipContent(tuple(files), notes)


def _check(info: ZipInfo, label: str) -> None:
    """Refuse a member that cannot be read.

    Raises:
        SourceError: It is an archive, has a password or an unprintable name, or is packed by an
            unknown method.
    """
    if _ending(info) in _PACKED:
        what = "is packed itself; unpack the archive and give its files"
    elif info.flag_bits & _IS_ENCRYPTED:
        what = "needs a password; unpack the archive and give its files"
    elif info.compress_type not in _KNOWN_METHODS:
        what = "is packed by a method that is not known; pack the archive again, or unpack it"
    elif not info.filename.isprintable():
        what = "has a name that cannot be printed; rename it"
    else:
        return
    raise SourceError(f"{label}: member {info.filename!r} {what}")


def _ending(info: ZipInfo) -> str:
    return PurePosixPath(info.filename).suffix.lower()


def _is_system(info: ZipInfo) -> bool:
    parts = PurePosixPath(info.filename).parts
    return parts[0] == "__MACOSX" or parts[-1].startswith(".")
