"""Plain files of the lake (sources, models, meters), on a disk or on S3, without a JVM.

Belongs here: reading, listing and atomic writing of whole files. Not here: Delta tables.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as pafs

from usage_platform.core.meters import Meter, MeterRegistry

_METERS = "meters.json"


class LakeFiles:
    """The files under one folder of the lake.

    Args:
        root: A folder, or `s3://bucket/prefix`.
    """

    def __init__(self, root: str) -> None:
        if "://" in root:
            self._fs, self._root = pafs.FileSystem.from_uri(root)
        else:
            self._fs, self._root = pafs.LocalFileSystem(), root

    def folders(self) -> list[str]:
        """The names of the folders at the top, sorted."""
        selector = pafs.FileSelector(self._root, allow_not_found=True)
        found = self._fs.get_file_info(selector)
        return sorted(info.base_name for info in found if info.type == pafs.FileType.Directory)

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder, sorted; none where it is missing."""
        selector = pafs.FileSelector(f"{self._root}/{folder}", allow_not_found=True)
        found = self._fs.get_file_info(selector)
        return sorted(info.base_name for info in found if info.type == pafs.FileType.File)

    def exists(self, name: str) -> bool:
        """Whether there is such a file."""
        return self._fs.get_file_info(f"{self._root}/{name}").type == pafs.FileType.File

    def read_text(self, name: str) -> str | None:
        """A file's text, or None where it is missing."""
        if not self.exists(name):
            return None
        with self.open_input(name) as source:
            return source.read().decode()

    def write_text(self, name: str, text: str) -> None:
        """Replace a file's text, all or nothing."""
        with self.open_output(name) as out:
            out.write(text.encode())

    def open_input(self, name: str) -> pa.NativeFile:
        """Open a file for random reads."""
        return self._fs.open_input_file(f"{self._root}/{name}")

    @contextmanager
    def open_output(self, name: str) -> Iterator[pa.NativeFile]:
        """Write a file that appears whole, or not at all when the block raises."""
        path = f"{self._root}/{name}"
        self._fs.create_dir(path.rpartition("/")[0], recursive=True)
        partial = f"{path}.{uuid4().hex}.partial"
        try:
            with self._fs.open_output_stream(partial) as out:
                yield out
            self._fs.move(partial, path)
        except BaseException:
            if self._fs.get_file_info(partial).type == pafs.FileType.File:
                self._fs.delete_file(partial)
            raise


def load_meters(assets: LakeFiles, default: Meter) -> MeterRegistry:
    """The meters that the sources made known; others are like `default`."""
    text = assets.read_text(_METERS)
    known = [Meter(**spec) for spec in json.loads(text)] if text else []
    return MeterRegistry(default).with_meters(known)


def save_meters(assets: LakeFiles, registry: MeterRegistry) -> None:
    """Make the registry's meters known to every part of the platform."""
    specs = [asdict(registry.known[name]) for name in sorted(registry.known)]
    assets.write_text(_METERS, json.dumps(specs, indent=1))
