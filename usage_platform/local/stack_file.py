"""The file that says what runs on a data folder, and the lock that lets only one stack run.

Belongs here: the file `<data>/run/stack.json` and the lock beside it. Not here: starting the
services.
"""

import fcntl
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from usage_platform.local.errors import LocalError
from usage_platform.local.pid import ProcessId, identify
from usage_platform.local.private_folder import private_folder


@dataclass(frozen=True)
class StackInfo:
    """A running stack.

    Attributes:
        owner: The process that keeps it running.
        kafka_bootstrap: Address of the broker, host:port.
        spark_remote: Spark Connect URL.
        ui_url: Address of Dagster's UI, where one is served.
        page_url: Address of the analyst's page, where one is served.
        kafka_password: What the embedded broker asks for; empty for another one.
        spark_cluster: Addresses of the master and the workers of Spark, where there are some.
    """

    owner: ProcessId
    kafka_bootstrap: str
    spark_remote: str
    ui_url: str | None
    page_url: str | None = None
    kafka_password: str = field(default="", repr=False)
    spark_cluster: tuple[str, ...] = ()


class StackFile:
    """The right to run a stack on a data folder; a context manager.

    The system frees the lock when its holder ends, however that happens.
    """

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._lock: IO[str] | None = None

    def __enter__(self) -> Self:
        """Take the lock.

        Raises:
            LocalError: When another process runs a stack on this data folder, or the folder is
                another user's.
        """
        # A link of the user's own, to a larger disk, is followed.
        private_folder(self._data_dir.resolve())
        path = self._data_dir / "run" / "lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            live = read_live(self._data_dir)
            who = f" by process {live.owner.pid}" if live else ""
            raise LocalError(
                f"the data folder {self._data_dir} is in use{who}: "
                "stop what runs there or choose another data folder"
            ) from None
        self._lock = lock
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Say that nothing runs any more, and free the lock."""
        if self._lock is not None:
            _stack_path(self._data_dir).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def write(
        self,
        kafka_bootstrap: str,
        spark_remote: str,
        ui_url: str | None,
        page_url: str | None = None,
        kafka_password: str = "",
        spark_cluster: tuple[str, ...] = (),
    ) -> StackInfo:
        """Tell other processes what runs, this process being its owner.

        Args:
            kafka_bootstrap: Address of the broker, host:port.
            spark_remote: Spark Connect URL.
            ui_url: Address of Dagster's UI, where one is served.
            page_url: Address of the analyst's page, where one is served.
            kafka_password: What the embedded broker asks for; empty for another one.
            spark_cluster: Addresses of the master and the workers of Spark, host:port.

        Returns:
            What was written.
        """
        owner = identify(os.getpid())
        assert owner is not None  # noqa: S101 - this process runs
        told = (kafka_bootstrap, spark_remote, ui_url, page_url, kafka_password, spark_cluster)
        info = StackInfo(owner, *told)
        path = _stack_path(self._data_dir)
        part = path.with_name("stack.json.part")
        part.touch(mode=0o600)
        part.write_text(
            json.dumps(
                {
                    "pid": owner.pid,
                    "started": owner.started,
                    "kafka_bootstrap": kafka_bootstrap,
                    "spark_remote": spark_remote,
                    "ui_url": ui_url,
                    "page_url": page_url,
                    "kafka_password": kafka_password,
                    "spark_cluster": spark_cluster,
                },
                indent=2,
            ),
            "utf-8",
        )
        part.replace(path)
        return info


def read_live(data_dir: Path) -> StackInfo | None:
    """What runs on a data folder now.

    Args:
        data_dir: The platform's data folder.

    Returns:
        The running stack; None where there is none, or its owner is dead.
    """
    try:
        stored = json.loads(_stack_path(data_dir).read_text("utf-8"))
        info = StackInfo(
            ProcessId(int(stored["pid"]), str(stored["started"])),
            stored["kafka_bootstrap"],
            stored["spark_remote"],
            stored["ui_url"],
            stored["page_url"],
            stored["kafka_password"],
            tuple(stored["spark_cluster"]),
        )
    # It is replaced in one step, so a file of another form is not ours and says nothing.
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None
    return info if info.owner.is_alive else None


def _stack_path(data_dir: Path) -> Path:
    return data_dir / "run" / "stack.json"
