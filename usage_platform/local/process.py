"""One child process: described, started in a session of its own, made ready, stopped as a whole.

Belongs here: the life of a single service's process and of all it started. Not here: what to do
when it dies (supervisor), or what any service needs (broker, spark_service).
"""

import contextlib
import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from usage_platform.adapters.lake.errors import what_to_do
from usage_platform.adapters.processes.ending import END_SIGNAL
from usage_platform.local import bound_command
from usage_platform.local.errors import LocalError
from usage_platform.local.pid import identify, write_pid_file
from usage_platform.local.service_log import last_line, set_aside, set_aside_if_large
from usage_platform.local.sessions import (
    POLL_SECONDS,
    kill_session,
    marked,
    reap_stale,
    signal_group,
)


def _nothing_to_prepare() -> None:
    """Most services need nothing done before they start."""


@dataclass(frozen=True)
class Service:
    """What a child process is and how one sees that it works.

    Attributes:
        name: For messages.
        argv: The command.
        env: Its whole environment, but for the mark of `sessions`.
        cwd: Its working folder; made where it is missing.
        log_file: Gets both output streams; what was in it before is kept as .1 to .3.
        pid_file: Names the process while it runs.
        ready: Asks once whether it answers; quick (a second or two), raises nothing. Asked from
            other threads too.
        needs: The names of services that must answer before it is started first; one that is not
            among those that are started runs elsewhere.
        start_timeout: Seconds it may take to become ready when it starts alone.
        stop_timeout: Seconds it may take to stop when asked to, before it is killed.
        prepare: Done before each start, the restarts too; may raise LocalError.
        asked_again: Whether `ready` also tells that one hangs which was ready before.
        ends_waits: Whether it is sent `END_SIGNAL` before any service is stopped.
    """

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    cwd: Path
    log_file: Path
    pid_file: Path
    ready: Callable[[], bool]
    needs: tuple[str, ...] = ()
    start_timeout: float = 60.0
    stop_timeout: float = 20.0
    prepare: Callable[[], None] = _nothing_to_prepare
    asked_again: bool = True
    ends_waits: bool = False


class ChildProcess:
    """The process of a service, and everything that process starts.

    Start it from a thread that lasts: on Linux the child is told to stop when the thread that
    started it ends, which is how it does not outlive a supervisor that was killed.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process last started."""
        return self._process.pid if self._process else None

    @property
    def exit_code(self) -> int | None:
        """How the process ended (negative: by that signal); None while it runs."""
        return self._process.poll() if self._process else None

    @property
    def is_alive(self) -> bool:
        """Whether it has been started and has not ended."""
        return self._process is not None and self._process.poll() is None

    def end_waits(self) -> None:
        """Have it end what it waits for, if it can, as it is about to be stopped."""
        if self._process is not None and self.service.ends_waits:
            self._process.send_signal(END_SIGNAL)

    def start(self) -> None:
        """Start it, after whatever a crashed supervisor left of it is gone. Does not wait.

        Raises:
            LocalError: When it cannot be prepared or its command cannot be run, as on a full disk;
                nothing is left running then.
        """
        service = self.service
        try:
            for folder in (service.cwd, service.log_file.parent, service.pid_file.parent):
                folder.mkdir(parents=True, exist_ok=True)
            reap_stale(service.pid_file, service.stop_timeout)
            service.prepare()
            set_aside(service.log_file)
            self._run()
        except OSError as error:
            self.kill()
            raise LocalError(
                f"{service.name} cannot be started: {what_to_do(error, remote=False)}"
            ) from error

    def _run(self) -> None:
        """Run the command, and name its process in the pid file.

        Raises:
            LocalError: When the command cannot be run.
            OSError: When a file cannot be written.
        """
        service = self.service
        # To append: after its log was emptied, it writes at the beginning again.
        with service.log_file.open("ab") as log:
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                    _bound(service),
                    env=marked(service.env, service.pid_file),
                    cwd=service.cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise LocalError(
                    f"{service.name} cannot be started ({error.strerror}: {error.filename}): "
                    "run make setup again"
                ) from error
        identity = identify(self._process.pid)
        if identity:
            write_pid_file(service.pid_file, identity)

    def has_come_up(self, waited: float, within: float) -> bool:
        """Whether it answers by now; what does not come up in time is stopped.

        Args:
            waited: Seconds that it has been waited for.
            within: Seconds that it may take.

        Raises:
            LocalError: When it ended or did not answer in time; names the log.
        """
        service = self.service
        if not self.is_alive:
            why = self.why_it_ended()
            self.stop()
            raise LocalError(why)
        if service.ready():
            return True
        if waited > within:
            self.stop()
            raise LocalError(
                f"{service.name} did not answer within {within:.0f} s: see {service.log_file}"
            )
        return False

    def wait_ready(self, progress: Callable[[str], None]) -> None:
        """Wait until it answers.

        Args:
            progress: Called with the seconds waited, such as "kafka: starting, 3 s".

        Raises:
            LocalError: As `has_come_up` does.
        """
        began, within = time.monotonic(), self.service.start_timeout
        while not self.has_come_up(waited := time.monotonic() - began, within):
            progress(f"{self.service.name}: starting, {waited:.0f} s")
            time.sleep(POLL_SECONDS)

    def why_it_ended(self) -> str:
        """One line on a process that has ended: how, its last words, where its log is."""
        service, code = self.service, self.exit_code
        if code is not None and code < 0:
            how = f"by {signal.Signals(-code).name}"
        else:
            how = f"with exit code {code}, last line: {last_line(service.log_file)}"
        return f"{service.name} ended {how}; see {service.log_file}"

    def rotate_log(self) -> None:
        """Move a log that has grown large aside, while the process writes to it."""
        set_aside_if_large(self.service.log_file)

    def stop(self) -> None:
        """Ask it to stop, wait, kill what is left of it and of all it started.

        What breaks the waiting off, as Ctrl-C does, is raised when it is gone.
        """
        if self._process is None:
            return
        try:
            if self.is_alive:
                signal_group(self._process.pid, signal.SIGTERM)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(self.service.stop_timeout)
        finally:
            self.kill()

    def kill(self) -> None:
        """Kill it and all it started, at once."""
        if self._process is None:
            return
        kill_session(self._process.pid)
        self._process.wait()
        # Its number may belong to another process from now on.
        self._process = None
        # Where it cannot be removed, the next start finds that nothing of it runs.
        with contextlib.suppress(OSError):
            self.service.pid_file.unlink(missing_ok=True)


def _bound(service: Service) -> tuple[str, ...]:
    """The command, which ends with this process where the system can tell it to (Linux).

    Raises:
        OSError: When there is no such command, or it may not be run.
    """
    command = service.argv[0]
    for mode, number in ((os.F_OK, errno.ENOENT), (os.X_OK, errno.EACCES)):
        if shutil.which(command, mode, service.env.get("PATH")) is None:
            raise OSError(number, os.strerror(number), command)
    if sys.platform != "linux":
        return service.argv
    # Alone in its Python, which needs nothing of the environment that is the service's.
    alone = (sys.executable, "-I", "-S", bound_command.__file__, str(os.getpid()))
    return (*alone, *service.argv)
