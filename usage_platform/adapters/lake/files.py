"""Plain files of the lake (sources, models, meters), on disk or on S3, without a JVM.

Belongs here: reading, listing and atomically writing whole files. Not here: Delta tables.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pyarrow as pa
import pyarrow.fs as pafs
from pydantic import ValidationError

from usage_platform.adapters.lake.errors import LakeError, lake_errors_in_one_line
from usage_platform.core.form_errors import first_mistake
from usage_platform.core.meters import Meter, MeterRegistry

_METERS = "meters.json"
_AMAZONS = ".amazonaws.com"


class LakeFiles:
    """The files under one folder of the lake.

    All methods raise `LakeError`, in one line, when the folder cannot be reached, read or written.

    Args:
        root: A folder, or `s3://bucket/prefix`.
    """

    def __init__(self, root: str) -> None:
        self._name = root
        if "://" in root:
            self._fs, self._root = open_remote(root)
        else:
            self._fs, self._root = pafs.LocalFileSystem(), root

    @property
    def root(self) -> str:
        """The folder, or `s3://bucket/prefix`."""
        return self._name

    def folders(self) -> list[str]:
        """The names of the folders at the top, sorted."""
        return self._listed(self._root, pafs.FileType.Directory)

    def names(self, folder: str) -> list[str]:
        """The names of the files in a folder, sorted; none where it is missing."""
        return self._listed(f"{self._root}/{folder}", pafs.FileType.File)

    def _listed(self, folder: str, kind: pafs.FileType) -> list[str]:
        selector = pafs.FileSelector(folder, allow_not_found=True)
        with lake_errors_in_one_line(self._name):
            infos = self._fs.get_file_info(selector)
        return sorted(info.base_name for info in infos if info.type == kind)

    def bytes_in(self, folder: str) -> int:
        """The bytes of all files below a folder; 0 where it is missing."""
        selector = pafs.FileSelector(f"{self._root}/{folder}", allow_not_found=True, recursive=True)
        with lake_errors_in_one_line(self._name):
            infos = self._fs.get_file_info(selector)
        return sum(info.size for info in infos if info.type == pafs.FileType.File)

    def move(self, name: str, to: str) -> None:
        """Give a file another name; one that has it is replaced."""
        with lake_errors_in_one_line(self._name):
            self._fs.create_dir(f"{self._root}/{to}".rpartition("/")[0], recursive=True)
            self._fs.move(f"{self._root}/{name}", f"{self._root}/{to}")

    def delete(self, name: str) -> None:
        """Delete a file, if it is there."""
        if self.exists(name):
            # Another process may delete it meanwhile.
            with suppress(FileNotFoundError), lake_errors_in_one_line(self._name):
                self._fs.delete_file(f"{self._root}/{name}")

    def delete_folder(self, folder: str) -> None:
        """Delete a folder with all that is in it, if it is there."""
        with suppress(FileNotFoundError), lake_errors_in_one_line(self._name):
            path = f"{self._root}/{folder}"
            if self._fs.get_file_info(path).type == pafs.FileType.Directory:
                self._fs.delete_dir(path)

    def exists(self, name: str) -> bool:
        """Whether the file exists."""
        with lake_errors_in_one_line(self._name):
            return self._fs.get_file_info(f"{self._root}/{name}").type == pafs.FileType.File

    def read_json(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        """The content of a JSON file, or None where it is missing or empty.

        Raises:
            LakeError: When it is not JSON.
        """
        try:
            text = self.read_text(name)
            return json.loads(text) if text else None
        except ValueError as error:
            raise self.damaged(name, error) from None

    def damaged(self, name: str, error: Exception) -> LakeError:
        """The error for a file with invalid content."""
        reason = first_mistake(error) if isinstance(error, ValidationError) else error
        return LakeError(
            f"{self._name}/{name}: damaged ({reason}); restore an intact copy, or remove it to go "
            "on without its content"
        )

    def read_text(self, name: str) -> str | None:
        """The text of a file, or None where it is missing."""
        if not self.exists(name):
            return None
        try:
            with self.open_input(name) as source, lake_errors_in_one_line(self._name):
                return source.read().decode()
        except FileNotFoundError:  # Another process has deleted it meanwhile.
            return None

    def write_text(self, name: str, text: str) -> None:
        """Replace the text of a file, all or nothing."""
        with self.open_output(name) as out:
            out.write(text.encode())

    def open_input(self, name: str) -> pa.NativeFile:
        """Open a file for random reads."""
        with lake_errors_in_one_line(self._name):
            return self._fs.open_input_file(f"{self._root}/{name}")

    @contextmanager
    def open_output(self, name: str) -> Iterator[pa.NativeFile]:
        """Write a file that appears complete, or not at all when the block raises."""
        path = f"{self._root}/{name}"
        with lake_errors_in_one_line(self._name):
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


@lru_cache(maxsize=8)
def open_remote(root: str) -> tuple[pafs.FileSystem, str]:
    """The file system of a lake on S3, and the path of the root there; one a process.

    Raises:
        LakeError: When S3 cannot be reached, refuses, or has no such bucket: a missing bucket would
            otherwise look empty.
    """
    parts = urlsplit(root)
    with lake_errors_in_one_line(root):
        return _s3_of(parts.netloc), f"{parts.netloc}{parts.path}"


def _s3_of(bucket: str) -> pafs.S3FileSystem:
    """The file system, after one request by a client that soon gives up a silent server.

    Other clients retry for two minutes, which is longer than a sensor tick may take. This request
    also returns the region of the bucket, which Arrow would look up at Amazon.
    """
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    tries = {"total_max_attempts": 2, "mode": "standard"}
    config = Config(connect_timeout=3, read_timeout=3, retries=tries)
    try:
        client = boto3.client("s3", config=config)
        region = client.head_bucket(Bucket=bucket).get("BucketRegion", client.meta.region_name)
    except (BotoCoreError, ClientError, ValueError) as error:
        raise OSError(str(error)) from None
    server = client.meta.endpoint_url
    other = None if server.endswith(_AMAZONS) else server
    return pafs.S3FileSystem(region=region, endpoint_override=other)


def load_meters(assets: LakeFiles, default: Meter) -> MeterRegistry:
    """The meters that the loaded sources describe; unknown ones are like `default`."""
    specs = assets.read_json(_METERS) or []
    try:
        return MeterRegistry(default).with_meters([Meter(**spec) for spec in specs])
    except (TypeError, ValueError) as error:
        raise assets.damaged(_METERS, error) from None


def save_meters(assets: LakeFiles, registry: MeterRegistry) -> None:
    """Store the meters of a registry, for all parts of the platform."""
    specs = [registry.known[name].as_stored() for name in sorted(registry.known)]
    assets.write_text(_METERS, json.dumps(specs, indent=1))
