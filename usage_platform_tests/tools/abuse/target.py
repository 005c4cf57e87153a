"""The platform that is attacked: its settings, and where its parts can be reached.

Belongs here: what an attacker may find out, and the secrets that he must not have. Not here:
starting it (`tools.soak.running`), the attacks.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from usage_platform.local.pid import read_pid_file, session_members
from usage_platform.local.ports import socket_path
from usage_platform.local.stack_file import read_live
from usage_platform_tests.e2e.conftest import Platform, platform_in
from usage_platform_tests.tools.soak.running import settled, unused_port

MOST_METERS = 40
_SETTINGS = {
    # Hours of six weeks are trained in a second; the source ends a day after the model begins.
    "interval_minutes": 60,
    "history_days": 42,
    "generated_days": 44,
    "accelerator": "inf",
    "max_meters": MOST_METERS,
}
_LISTENS = "0A"


@dataclass(frozen=True)
class Target:
    """Where the platform's parts are; all of it can be found out by looking at the machine.

    Attributes:
        data: The data folder.
        claims: The folder of the claims on ports.
        code_socket: Where Dagster's code server listens.
        page: Address of the analyst's page.
        ui: Address of Dagster's pages.
        kafka: Address of the broker, host:port.
        controller: Port of the broker's controller.
        spark: Port of Spark Connect.
        spark_ports: The other ports on which Spark listens.
        token: What Spark Connect asks for; a secret, empty for an attacker.
        password: What the broker asks for; a secret, empty for an attacker.
    """

    data: str
    claims: str
    code_socket: str
    page: str
    ui: str
    kafka: str
    controller: int
    spark: int
    spark_ports: tuple[int, ...]
    token: str
    password: str

    def as_json(self) -> str:
        """For another process."""
        return json.dumps(asdict(self))

    @classmethod
    def of_json(cls, text: str) -> Self:
        """From `as_json`."""
        return cls(**json.loads(text))

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must be in no place that another user can read."""
        return (self.token, self.password)


@contextmanager
def attacked_platform() -> Iterator[tuple[Platform, Target]]:
    """A platform in a temporary folder, with a history, a model and a source that has ended."""
    with tempfile.TemporaryDirectory(prefix="usage-abuse-") as folder:
        # Whoever may look into it must be kept out by the platform, not by this folder.
        Path(folder).chmod(0o755)
        data = Path(folder, "data")
        data.mkdir(mode=0o755)
        with settled(platform_in(data, unused_port, **_SETTINGS)) as platform:
            yield platform, _target(data)


def _target(data: Path) -> Target:
    live = read_live(data)
    assert live is not None
    assert live.page_url
    assert live.ui_url
    code = socket_path(data, "code")
    spark = live.spark_remote.removeprefix("sc://127.0.0.1:").partition("/")[0]
    controllers = {*listening_ports(data, "kafka")} - {int(live.kafka_bootstrap.split(":")[1])}
    return Target(
        data=str(data),
        claims=str(code.parent),
        code_socket=str(code),
        page=live.page_url,
        ui=live.ui_url,
        kafka=live.kafka_bootstrap,
        controller=min(controllers),
        spark=int(spark),
        spark_ports=tuple(sorted({*listening_ports(data, "spark")} - {int(spark)})),
        token=live.spark_remote.partition("Bearer%20")[2],
        password=live.kafka_password,
    )


def listening_ports(data: Path, service: str) -> list[int]:
    """The TCP ports on which a service's processes listen (Linux, proc(5)); none elsewhere."""
    leader = read_pid_file(data / "run" / f"{service}.pid")
    if leader is None:
        return []
    sockets = {name for pid in session_members(leader.pid) for name in _sockets(pid)}
    found = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{leader.pid}/net/{table}").read_text("utf-8").splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS and f"socket:[{fields[9]}]" in sockets:
                found.append(int(fields[1].rpartition(":")[2], 16))
    return found


def _sockets(pid: int) -> Iterator[str]:
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            yield str(link.readlink())
        except OSError:  # It was closed meanwhile.
            continue
