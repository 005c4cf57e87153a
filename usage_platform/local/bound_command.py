"""Become a command that gets SIGTERM when the process that started it dies (Linux, prctl(2)).

A program of its own: python bound_command.py PARENT COMMAND [ARGUMENT ...]. What runs in a child
between fork and exec instead (`preexec_fn`) is not safe in a process with threads: gRPC's come to
life in such a child, and abort it when the files they wait on are closed.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, argv: list[str]) -> None:
    """Run `argv` in place of this process, unless the parent is gone already."""
    # Python ignores these, and what is ignored stays so in the command.
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # It died in between, and no signal will come.
        sys.exit(1)
    os.execvp(argv[0], argv)  # noqa: S606 - our own command, no shell


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
