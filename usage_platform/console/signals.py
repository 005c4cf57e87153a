"""How commands that start services react to signals."""

import signal


def stop_on_signals() -> None:
    """Make SIGTERM behave like Ctrl-C, so that every started service is stopped."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    # A shell that starts this in the background makes it and its children ignore SIGINT;
    # Dagster's processes then ignore SIGTERM, too.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, interrupt)
