"""A call in a thread, for what is disturbed while it runs."""

import threading
from collections.abc import Callable

from usage_platform_tests.topics import SLOW_MACHINE_SECONDS


class Background:
    """A call that runs beside the round, and how it ended."""

    def __init__(self, call: Callable[[], object]) -> None:
        self.error: Exception | None = None
        self._call = call
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether it has ended, by itself or by an error."""
        return not self._thread.is_alive()

    def join(self) -> None:
        """Wait for its end; its error is kept in `error`."""
        self._thread.join(SLOW_MACHINE_SECONDS)
        assert self.is_over, "a call that was disturbed never ended"

    def _run(self) -> None:
        try:
            self._call()
        except Exception as error:
            self.error = error
