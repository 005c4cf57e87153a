"""A process of this machine that works for this one, request by request, and ends with it.

Belongs here: starting it, sending requests, answering what it asks back. Not here: the work itself
(`services`), work in many short pieces (`pool`).

The process is started again by no one: whoever has it closes it after an error and makes another.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from typing import Any

Ask = Callable[[Any], Any]
"""Asks the process that has sent the request, and gives its answer."""
Handler = Callable[[Any, Ask], Any]
"""Carries a request out; an error ends the process."""

_LOOK_SECONDS = 1.0
_SILENT_SECONDS = 30.0
_END_SECONDS = 5.0


class CompanionEndedError(RuntimeError):
    """The process ended or stood still; one line."""


class Companion:
    """The process, from the side of the one that has started it.

    Args:
        make: A function at the top of its module; the process calls it once for its handler.
    """

    def __init__(self, make: Callable[[], Handler]) -> None:
        self._connection, other = Pipe()
        with other:
            command = f"from {__name__} import _serve; _serve()"
            given = (str(other.fileno()), make.__module__, make.__name__, str(os.getpid()))
            self._process = subprocess.Popen(  # noqa: S603 - our own command, no shell
                (sys.executable, "-c", command, *given), pass_fds=[other.fileno()]
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    def request(self, content: object, answer: Ask) -> Any:  # noqa: ANN401 - as its handler
        """Have a request carried out.

        Args:
            content: Can be pickled.
            answer: Answers what the process asks meanwhile.

        Raises:
            CompanionEndedError: When it has ended or stands still; close it.
        """
        try:
            self._connection.send(content)
            while True:
                if not self._connection.poll(_SILENT_SECONDS):
                    raise CompanionEndedError(f"its process {self.pid} stands still")
                kind, told = self._connection.recv()
                if kind == "done":
                    return told
                if kind == "asks":
                    self._connection.send(answer(told))
        except (EOFError, OSError):
            code = self._wait()
            raise CompanionEndedError(f"its process {self.pid} ended with {code}") from None

    def close(self) -> None:
        """End the process, whatever it does."""
        self._connection.close()
        if self._wait() is None:
            self._process.kill()
            self._process.wait()

    def _wait(self) -> int | None:
        try:
            return self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            return None


class _Server:
    """The other end of the connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        # The first request waits from the start on, while this process still imports.
        self._is_busy = True

    def run(self, handle: Handler) -> None:
        while True:
            try:
                request = self._connection.recv()
            except (EOFError, OSError):
                return
            self._is_busy = True
            done = handle(request, self._ask)
            with self._lock:
                self._is_busy = False
                self._connection.send(("done", done))

    def _ask(self, content: object) -> Any:  # noqa: ANN401 - as the answer
        with self._lock:
            self._connection.send(("asks", content))
        return self._connection.recv()

    def report_life(self, parent: int) -> None:
        """Say that a request is still being carried out, and end when nobody waits for it."""
        while os.getppid() == parent:
            time.sleep(_LOOK_SECONDS)
            with self._lock:
                if self._is_busy:
                    try:
                        self._connection.send(("works", None))
                    except OSError:
                        break
        os._exit(1)


def _serve() -> None:
    place, module, name, parent = sys.argv[1:]
    # Ctrl-C reaches all processes of a terminal; this one ends with the one that has started it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = _Server(Connection(int(place)))
    threading.Thread(target=server.report_life, args=(int(parent),), daemon=True).start()
    server.run(getattr(import_module(module), name)())
    # Threads of clients that hang would keep it.
    os._exit(0)
