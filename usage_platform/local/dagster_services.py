"""Dagster's three processes: the code server, the web server and the daemon.

Belongs here: their commands, their instance folder, and whether they answer. Three processes and
not `dg dev`, so that each is watched and started again alone. Not here: how the code server makes
the processes of runs (code_server).
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from usage_platform.local.listeners import own_server_replies
from usage_platform.local.lost_runs import fail_lost_runs
from usage_platform.local.process import Service
from usage_platform.local.replies import GRPC, HTTP, server_replies
from usage_platform.local.shipped_files import REPOSITORY_ROOT, in_a_clone, shipped_file

_CODE = "usage_platform.local.code_server"
_DEFINITIONS = "usage_platform.definitions"
_LOCATION = "usage_platform.definitions"
_WORKSPACE = """\
load_from:
  - grpc_server:
      socket: {socket}
      location_name: {location}
"""


def dagster_services(
    data_dir: Path, env: Mapping[str, str], code_socket: Path, ui_port: int
) -> tuple[Service, ...]:
    """Describe the three processes, in the order to start them.

    Args:
        data_dir: The platform's data folder: runs, logs and schedules are kept in `dagster`.
        env: The environment they and their runs get, with the settings `USAGE_*` in it.
        code_socket: Where the code server listens. It runs whatever it is sent: not on a port,
            which every user of the machine can reach.
        ui_port: Where the web server listens, on 127.0.0.1.

    Returns:
        The services; preparing the first one writes the instance's files.
    """
    data_dir = data_dir.absolute()
    home = data_dir / "dagster_home"
    workspace = str(home / "workspace.yaml")
    own_env = {**env, "DAGSTER_HOME": str(home), "PYTHONUNBUFFERED": "1"}
    # For the commands of a shell; beside a workspace Dagster refuses it.
    own_env.pop("DAGSTER_MODULE_NAME", None)
    python = Path(sys.executable).name
    commands = {
        # Not `dagster code-server`, which runs such a server as its child, and lives on and answers
        # nothing when that child dies. `-P`: modules are not looked for in the folder of its start.
        "code": (python, "-P", "-m", _CODE, "-m", _DEFINITIONS, "--socket", str(code_socket)),
        # Not `dagster-webserver`, which looks at no Host and no Origin.
        "ui": ("usage-platform", "ui", "--port", str(ui_port), "--workspace", workspace),
        "daemon": ("dagster-daemon", "run", "-w", workspace),
    }
    ready = {
        "code": partial(server_replies, code_socket, GRPC),
        "ui": partial(own_server_replies, ui_port, HTTP, _pid_file(data_dir, "ui")),
        "daemon": partial(_daemon_runs, data_dir / "logs" / "daemon.log"),
    }
    needs = {
        "code": (),
        "ui": ("code",),
        # Its first ticks look at topics and start micro-batches.
        "daemon": ("kafka", "spark", "code"),
    }
    write_instance = partial(_write_instance, data_dir, home, code_socket)
    prepare = {"code": partial(_prepare_code, write_instance, home)}
    return tuple(
        Service(
            name=name,
            argv=(str(Path(sys.executable).parent / command[0]), *command[1:]),
            env=own_env,
            # Not site-packages: Dagster reads a `.env` and a pyproject.toml where it is started.
            cwd=REPOSITORY_ROOT if in_a_clone() else home,
            log_file=data_dir / "logs" / f"{name}.log",
            pid_file=_pid_file(data_dir, name),
            ready=ready[name],
            needs=needs[name],
            start_timeout=120.0,
            prepare=prepare.get(name, write_instance),
            # What its log said at its start is moved aside in time, and tells nothing later on.
            asked_again=name != "daemon",
            # The daemon waits for a tick that it has asked the code server for.
            ends_waits=name == "code",
        )
        for name, command in commands.items()
    )


def _pid_file(data_dir: Path, name: str) -> Path:
    return data_dir / "run" / f"{name}.pid"


def _prepare_code(write_instance: Callable[[], None], home: Path) -> None:
    write_instance()
    fail_lost_runs(home)


def _write_instance(data_dir: Path, home: Path, code_socket: Path) -> None:
    """The instance of the repository's `dagster.yaml`, with its data in this data folder."""
    text = shipped_file("dagster.yaml").read_text("utf-8")
    home.mkdir(parents=True, exist_ok=True)
    _write(home / "dagster.yaml", text.replace(".usage/", f"{data_dir}/"))
    _write(home / "workspace.yaml", _WORKSPACE.format(socket=code_socket, location=_LOCATION))


def _write(file: Path, text: str) -> None:
    """Write a file that has another text: a service that starts meanwhile may be reading it."""
    if not file.exists() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")


def _daemon_runs(log_file: Path) -> bool:
    return log_file.exists() and "Instance is configured" in log_file.read_text("utf-8", "replace")
