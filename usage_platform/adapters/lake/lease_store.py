"""The storage of a lease: a small object in the lake, replaced by compare-and-swap.

Belongs here: the compare-and-swap of each kind of storage. Not here: the content (`lease_record`),
other files that are changed in this way (`shared_json`, `adapters.stores.meters`).
"""

import fcntl
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from usage_platform.adapters.lake.files import LakeFiles

_JSON = ".json"
# Another writer's put came first, or comes at the same time.
_CHANGED_MEANWHILE = ("PreconditionFailed", "ConditionalRequestConflict")


class LeaseStore(Protocol):
    """Stores one lease."""

    def read(self) -> str | None:
        """The text of the lease; None before the first one."""
        ...

    def replace(self, old: str | None, new: str) -> bool:
        """Write `new` if the text is still `old`, atomically; returns whether it was."""
        ...


class FolderStore:
    """A lease in a lake on disk: replaced under a lock on a file beside it."""

    def __init__(self, root: str, name: str, ending: str = _JSON) -> None:
        self._files = LakeFiles(root)
        self._name = f"{name}{ending}"
        self._lock = Path(root) / f"{name}.lock"

    def read(self) -> str | None:
        """The text of the lease; None before the first one."""
        return self._files.read_text(self._name)

    def replace(self, old: str | None, new: str) -> bool:
        """Write `new` if the text is still `old`, atomically; returns whether it was."""
        self._lock.parent.mkdir(parents=True, exist_ok=True)
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.read() != old:
                return False
            self._files.write_text(self._name, new)
            return True


class ObjectStore:
    """A lease in a lake on S3: a conditional put replaces only the object that was read.

    S3 compares and writes in one step (If-Match, If-None-Match), so that only one of two platforms
    that take a free or expired lease at the same time gets it.
    """

    def __init__(self, root: str, name: str, ending: str = _JSON) -> None:
        parts = urlsplit(root)
        # A bucket itself may be the root: S3 takes a first / for a part of the name.
        key = f"{parts.path.strip('/')}/{name}{ending}".lstrip("/")
        self._object = {"Bucket": parts.netloc, "Key": key}

    def read(self) -> str | None:
        """The text of the lease; None before the first one.

        Raises:
            OSError: When the object cannot be reached or read.
        """
        return self._text_and_tag()[0]

    def replace(self, old: str | None, new: str) -> bool:
        """Write `new` if the text is still `old`, atomically; returns whether it was.

        Raises:
            OSError: When the object cannot be reached or written.
        """
        from botocore.exceptions import BotoCoreError, ClientError

        text, tag = self._text_and_tag()
        if text != old:
            return False
        unchanged = {"IfNoneMatch": "*"} if tag is None else {"IfMatch": tag}
        try:
            self._client.put_object(Body=new.encode(), **self._object, **unchanged)
        except ClientError as error:
            if error.response["Error"]["Code"] in _CHANGED_MEANWHILE:
                return False
            raise OSError(str(error)) from None
        except BotoCoreError as error:
            raise OSError(str(error)) from None
        return True

    @cached_property
    def _client(self) -> Any:  # noqa: ANN401 - boto3 makes its clients at run time
        import boto3
        from botocore.config import Config

        # A renewal must end long before the lease expires.
        tries = {"total_max_attempts": 3, "mode": "standard"}
        return boto3.client("s3", config=Config(connect_timeout=3, read_timeout=5, retries=tries))

    def _text_and_tag(self) -> tuple[str | None, str | None]:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            got = self._client.get_object(**self._object)
            return got["Body"].read().decode(), got["ETag"]
        except ClientError as error:
            if error.response["Error"]["Code"] == "NoSuchKey":
                return None, None
            raise OSError(str(error)) from None
        except BotoCoreError as error:
            raise OSError(str(error)) from None


def store_of(root: str, name: str, ending: str = _JSON) -> LeaseStore:
    """The store of the text `name` + `ending` in a folder or under `s3://bucket/prefix`."""
    kind = ObjectStore if "://" in root else FolderStore
    return kind(root, name, ending)
