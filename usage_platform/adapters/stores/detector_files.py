"""Files of detectors, a row group each, so that one is read without the others.

Belongs here: writing detectors one after the other, and reading one by its meter. Not here: what a
row holds (`detector_rows`), which files make up a model (`models`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.detector_rows import (
    DICTIONARY_COLUMNS,
    PROFILE_COLUMNS,
    SCHEMA,
    from_row,
    profile_from_row,
    to_row,
)
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.detector.week_profile import WeekProfile

_SUMMARY = "summary"
_ROWS_AT_ONCE = 64


class DetectorWriter:
    """Writes a file of detectors, holding one at a time."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer = writer

    def write(self, name: str, detector: Detector) -> None:
        """Add a meter's detector."""
        self._writer.write_table(to_row(name, detector), row_group_size=1)

    def summarize(self, text: str) -> None:
        """Store a text with the file."""
        self._writer.add_key_value_metadata({_SUMMARY: text})


@contextmanager
def detector_file(files: LakeFiles, path: str) -> Iterator[DetectorWriter]:
    """Write a file that appears complete, or not at all when the block raises."""
    with (
        files.open_output(path) as out,
        pq.ParquetWriter(
            out,
            SCHEMA,
            compression="zstd",
            use_dictionary=DICTIONARY_COLUMNS,  # pyright: ignore[reportArgumentType]
        ) as writer,
    ):
        yield DetectorWriter(writer)


def summary_of(files: LakeFiles, path: str) -> str:
    """The text that was stored with a file."""
    with _opened(files, path) as parquet:
        given = parquet.metadata.metadata or {}
    return given[_SUMMARY.encode()].decode()


@dataclass(frozen=True, eq=False)
class DetectorIndex:
    """Where the detectors of a file are.

    Attributes:
        positions: The row group of each meter, in their order.
        footer: Where the parts of row groups are. To read it takes a fifth of the time of a
            detector, and on S3 a request; it has some KB for each meter.
    """

    positions: dict[str, int]
    footer: pq.FileMetaData


def index_of(files: LakeFiles, path: str) -> DetectorIndex:
    """Where the detectors of a file are; none is read."""
    with _opened(files, path) as parquet:
        names = parquet.read(columns=["meter"])["meter"].to_pylist()
        return DetectorIndex({name: at for at, name in enumerate(names)}, parquet.metadata)


def read_detector(files: LakeFiles, path: str, index: DetectorIndex, meter: str) -> Detector:
    """A meter's detector; nothing of the others is read."""
    with _opened(files, path, index.footer) as parquet:
        return from_row(parquet.read_row_group(index.positions[meter]))


def read_detectors(files: LakeFiles, path: str) -> Iterator[tuple[str, Detector]]:
    """The meters of a file with their detectors, one at a time."""
    with _opened(files, path) as parquet:
        for position in range(parquet.num_row_groups):
            row = parquet.read_row_group(position)
            yield row["meter"][0].as_py(), from_row(row)


def read_profiles(files: LakeFiles, path: str) -> Iterator[tuple[str, WeekProfile | None]]:
    """The meters of a file with what is expected of them, some at a time; no tree is read."""
    with _opened(files, path) as parquet:
        for first in range(0, parquet.num_row_groups, _ROWS_AT_ONCE):
            positions = range(first, min(first + _ROWS_AT_ONCE, parquet.num_row_groups))
            rows = parquet.read_row_groups(list(positions), columns=PROFILE_COLUMNS)
            for at in range(len(positions)):
                row = rows.slice(at, 1)
                yield row["meter"][0].as_py(), profile_from_row(row)


@contextmanager
def _opened(
    files: LakeFiles, path: str, footer: pq.FileMetaData | None = None
) -> Iterator[pq.ParquetFile]:
    with files.open_input(path) as source:
        try:
            with pq.ParquetFile(source, metadata=footer) as parquet:
                yield parquet
        except pa.ArrowInvalid as error:
            raise files.damaged(path, error) from None
