"""Become Dagster's code server: python deploy/code_server.py PORT.

Belongs here: telling of the runs that ended with the task before, then the server's command. Not
here: finding them (`local.lost_runs`), the server itself (`local.code_server`).
"""

import os
import sys
from pathlib import Path

from usage_platform.local.lost_runs import fail_lost_runs


def main(port: int) -> None:
    """Replace this process by the server, which all runs are children of."""
    lost = fail_lost_runs(Path(os.environ["DAGSTER_HOME"]))
    if lost:
        print(f"runs that ended with the task before: {lost}", flush=True)
    server = ["-P", "-m", "usage_platform.local.code_server", "-m", "usage_platform.definitions"]
    os.execv(  # noqa: S606 - our own command, no shell
        sys.executable, [sys.executable, *server, "-h", "127.0.0.1", "-p", str(port)]
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
