"""Become the warm Spark service: python deploy/spark_connect.py PORT.

Belongs here: starting on a container's own what `usage-platform up` starts as a child. Not here:
what the service is (`usage_platform.local.spark_service`).
"""

import os
import sys

from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import spark_conf
from usage_platform.local.java import ensure_java
from usage_platform.local.spark_service import SparkEndpoint, spark_service
from usage_platform.settings.settings import Settings


def main(port: int) -> None:
    """Replace this process by the service, whose log goes where this one's went."""
    settings = Settings.from_env()
    java = ensure_java(settings.jars_dir.parent, os.environ, print)
    # The image was made with them, checked by their sums.
    jars = [settings.jars_dir / name for name in ("spark", "aws")]
    conf = spark_conf(Lake(settings.lake_root))
    service = spark_service(
        java, jars, settings.data_dir, os.environ, SparkEndpoint(port, token=""), conf
    )
    service.cwd.mkdir(parents=True, exist_ok=True)
    service.prepare()
    os.chdir(service.cwd)
    os.execve(  # noqa: S606 - our own command, no shell
        service.argv[0], service.argv, dict(service.env)
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
