"""The analyst's page as a service of the stack."""

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from usage_platform.local.listeners import own_server_replies
from usage_platform.local.process import Service
from usage_platform.local.replies import HTTP


def page_service(data_dir: Path, env: Mapping[str, str], port: int) -> Service:
    """Describe the page's server.

    Args:
        data_dir: The platform's data folder.
        env: The environment it gets, with the settings `USAGE_*` in it.
        port: Where it listens, on 127.0.0.1.
    """
    pid_file = data_dir / "run" / "page.pid"
    return Service(
        name="page",
        argv=(str(Path(sys.executable).parent / "usage-platform"), "page", "--port", str(port)),
        env={**env, "PYTHONUNBUFFERED": "1"},
        cwd=data_dir,
        log_file=data_dir / "logs" / "page.log",
        pid_file=pid_file,
        ready=partial(own_server_replies, port, HTTP, pid_file),
        stop_timeout=10.0,
    )
