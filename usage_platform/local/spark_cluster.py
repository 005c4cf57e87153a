"""A Spark standalone cluster of this machine: a master, and workers that run executors.

Belongs here: their commands, where they listen, what they share with the Spark service. Not here:
the service, whose session is the cluster's one application (`spark_service`), what executors do
(`adapters.spark`).

All listen on the loopback address. Whoever is to be answered must know a secret, which is in files
that only their user can read, in the environment of executors, and on no command line. The pages of
master and workers take no request without it.
"""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from usage_platform.adapters.processes.pool import processors
from usage_platform.local.java import JavaHome
from usage_platform.local.listeners import own_server_replies
from usage_platform.local.ports import LOOPBACK
from usage_platform.local.process import Service
from usage_platform.local.replies import HTTP
from usage_platform.local.shipped_files import REPOSITORY_ROOT
from usage_platform.local.spark_service import (
    MASTER,
    SETTINGS_FILE,
    java_command,
    prepare_home,
    spark_environment,
)

EXECUTOR_MEMORY = "1g"
"""Of a worker's executor, beside its Python: a task holds a share of a batch."""
_DAEMON_MEMORY = "256m"
_FILTER = "org.apache.spark.ui.JWSFilter"
_DAY_SECONDS = "86400"
# A worker looks for the jars of an executor beside those of this version, as spark-class tells it.
_SCALA = "2.13"


def executor_cores(workers: int) -> int:
    """How many tasks the executor of each worker runs at once: all processors are shared out."""
    return max(processors() // workers, 1)


def tasks_at_once(workers: int) -> int:
    """How many tasks the executors of all workers run at once; 0 without a worker."""
    return workers * executor_cores(workers) if workers else 0


@dataclass(frozen=True)
class SparkCluster:
    """Where a cluster listens, and what its processes must know.

    Attributes:
        port: The master's port on 127.0.0.1.
        page_ports: The ports of the pages of the master and of each worker, which show that they
            answer.
        secret: Letters, digits, - and _.
    """

    port: int
    page_ports: tuple[int, ...]
    secret: str = field(default_factory=secrets.token_urlsafe, repr=False)

    @property
    def workers(self) -> int:
        """The number of workers."""
        return len(self.page_ports) - 1

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the master and the pages of the workers answer, host:port."""
        return tuple(f"{LOOPBACK}:{port}" for port in (self.port, *self.page_ports[1:]))

    @property
    def url(self) -> str:
        """The master's address, for Spark."""
        return f"spark://{LOOPBACK}:{self.port}"

    def service_conf(self, jars: Sequence[Path]) -> dict[str, str]:
        """Settings of the Spark service with which its sessions use the cluster.

        Args:
            jars: The folders of jars beside pyspark's own.
        """
        return {
            "spark.master": self.url,
            "spark.authenticate.secret": self.secret,
            "spark.executor.cores": str(executor_cores(self.workers)),
            "spark.executor.memory": EXECUTOR_MEMORY,
            "spark.executor.extraClassPath": ":".join(f"{jar.absolute()}/*" for jar in jars),
            "spark.executor.logs.rolling.strategy": "size",
            "spark.executor.logs.rolling.maxSize": "67108864",
            "spark.executor.logs.rolling.maxRetainedFiles": "3",
            "spark.executorEnv.PYTHONHASHSEED": "0",
            "spark.executorEnv.PYTHONPATH": str(REPOSITORY_ROOT),
        }


def cluster_services(
    java: JavaHome,
    jars: Sequence[Path],
    data_dir: Path,
    env: Mapping[str, str],
    cluster: SparkCluster,
) -> list[Service]:
    """Describe the master and the workers, in the order to start them.

    Args:
        java: Runs them.
        jars: As for `spark_service.spark_service`.
        data_dir: The platform's data folder: files are in `spark-master` and `spark-worker-1`,
            ..., logs in `logs`. Those of executors are in `logs/spark-worker-1`, ..., for a day.
        env: As for `spark_service.spark_service`.
        cluster: Where they listen.
    """
    logs = data_dir.absolute() / "logs"
    cores = executor_cores(cluster.workers)

    def service(name: str, what: str, page: int, *more: str) -> Service:
        home = data_dir.absolute() / name
        pid_file = data_dir.absolute() / "run" / f"{name}.pid"
        program = (
            f"org.apache.spark.deploy.{what}",
            *("--host", LOOPBACK, "--webui-port", str(page)),
            *("--properties-file", str(home / SETTINGS_FILE)),
            *more,
        )
        return Service(
            name=name,
            argv=java_command(java, jars, home, _DAEMON_MEMORY, program),
            env=spark_environment(env, java, home) | {"SPARK_SCALA_VERSION": _SCALA},
            cwd=home,
            log_file=logs / f"{name}.log",
            pid_file=pid_file,
            ready=partial(own_server_replies, page, HTTP, pid_file),
            needs=() if name == MASTER else (MASTER,),
            prepare=partial(prepare_home, home, _conf(cluster)),
        )

    master, *pages = cluster.page_ports
    return [
        service(MASTER, "master.Master", master, "--port", str(cluster.port)),
        *(
            service(
                f"spark-worker-{number}",
                "worker.Worker",
                page,
                *("--cores", str(cores), "--memory", EXECUTOR_MEMORY),
                *("--work-dir", str(logs / f"spark-worker-{number}")),
                cluster.url,
            )
            for number, page in enumerate(pages, 1)
        ),
    ]


def _conf(cluster: SparkCluster) -> dict[str, str]:
    key = base64.urlsafe_b64encode(cluster.secret.encode()).decode()
    return {
        "spark.authenticate": "true",
        "spark.authenticate.secret": cluster.secret,
        # A page shows what runs, and logs.
        "spark.ui.filters": _FILTER,
        f"spark.{_FILTER}.param.secretKey": key,
        "spark.ui.killEnabled": "false",
        "spark.master.rest.enabled": "false",
        "spark.worker.cleanup.enabled": "true",
        "spark.worker.cleanup.appDataTtl": _DAY_SECONDS,
    }
