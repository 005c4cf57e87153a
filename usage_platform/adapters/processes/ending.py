"""That this process is about to be stopped: who waits for events ends the wait.

A tick of a sensor may wait for most of a minute. The daemon that asked for it and the process that
carries it out wait for its end when they are stopped.
"""

import signal
import threading

ENDING = threading.Event()
"""Set when this process is about to be stopped; its work goes on, but waits for nothing more."""

END_SIGNAL = signal.SIGUSR1
"""Sent to a process that has called `end_waits_on_signal`, before it is stopped."""


def end_waits_on_signal() -> None:
    """Set `ENDING` when the process gets `END_SIGNAL`; call it in the main thread."""
    signal.signal(END_SIGNAL, lambda number, frame: ENDING.set())
