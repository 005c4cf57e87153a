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
from contextlib import suppress
from importlib import import_module
from multiprocessing.connection import Connection, Pipe
from multiprocessing.reduction import ForkingPickler
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
        self._sending = threading.Thread()
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
            Exception: That of `answer`, or of pickling; close it too.
        """
        self._send(content)
        while True:
            kind, value = self._received()
            if kind == "done":
                return value
            if kind == "asks":
                self._send(answer(value))

    def close(self) -> None:
        """End the process, whatever it does."""
        if self._sending.is_alive():
            # With its reader ends the call that writes, before its connection is closed.
            self._process.kill()
            self._sending.join()
        self._connection.close()
        if self._wait() is None:
            self._process.kill()
            self._process.wait()

    def _send(self, content: object) -> None:
        """Begin to send: a process that stands still takes no more than fits the connection."""
        if self._sending.is_alive():
            # It has taken all of it if it has said that it is done, or asks.
            self._sending.join(_END_SECONDS)
        if self._sending.is_alive():
            raise CompanionEndedError(f"its process {self.pid} stands still")
        packed = ForkingPickler.dumps(content)
        self._sending = threading.Thread(
            target=self._write, args=(packed,), daemon=True, name="companion-send"
        )
        self._sending.start()

    def _write(self, packed: memoryview) -> None:
        # Whoever waits for what the process says next learns how it has ended.
        with suppress(OSError):
            self._connection.send_bytes(packed)

    def _received(self) -> tuple[str, Any]:
        """What the process says next; it says every second that it works."""
        try:
            if self._connection.poll(_SILENT_SECONDS):
                return self._connection.recv()
        except (EOFError, OSError):
            raise CompanionEndedError(f"its process {self.pid} {self._how_ended()}") from None
        raise CompanionEndedError(f"its process {self.pid} stands still")

    def _how_ended(self) -> str:
        code = self._wait()
        if code is None:
            return "does not answer any more"
        return f"ended by signal {-code}" if code < 0 else f"ended with exit code {code}"

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
