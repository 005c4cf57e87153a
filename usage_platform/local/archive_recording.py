"""Records the archives of classes from which Spark and the broker start faster: once, at set-up.

Belongs here: a broker and a Spark service of their own, in a temporary folder, that take a few
readings through one micro-batch and write down what classes that took. Not here: where archives lie
and who reads them (class_archive).
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from secrets import token_urlsafe

import pandas as pd

from usage_platform.adapters.kafka.security import LoopbackPassword
from usage_platform.adapters.kafka.topics import KafkaSettings, ensure_topics
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import remote_session, spark_conf
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace
from usage_platform.local.broker import BROKER_USER, broker_service
from usage_platform.local.class_archive import class_archive, recording
from usage_platform.local.jars import JarFolders
from usage_platform.local.java import JavaHome
from usage_platform.local.ports import LOOPBACK, PortClaims
from usage_platform.local.process import ChildProcess, Service
from usage_platform.local.spark_service import SparkEndpoint, recorded_folders, spark_service
from usage_platform.services.ingest import drain_topics
from usage_platform.services.play import play

_FIRST_PORT = 19092
_START_SECONDS = 300.0
_WRITE_SECONDS = 300.0
_READINGS = 24


def record_archives(
    java: JavaHome,
    jars: JarFolders,
    env: Mapping[str, str],
    say: Callable[[str], None],
    progress: Callable[[str], None],
) -> None:
    """Record the archives that are missing, and remove those of other jars.

    Args:
        java: The Java that runs the services.
        jars: Their jars; the archives lie beside them.
        env: The environment they run in.
        say: Called when something is recorded.
        progress: Called with how long a service has been waited for.

    Raises:
        LocalError: When a service does not come up.
        SparkFailedError: When the micro-batch fails.
        OSError: When an archive was not written, as on a full disk.
    """
    broker = class_archive(java, [jars.kafka])
    spark = class_archive(java, recorded_folders(jars.spark))
    if broker.is_file() and spark.is_file():
        return
    say("recording the classes of Kafka and Spark, so that they start faster (once, a minute)")
    broker.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = PortClaims()
        stack.callback(ports.release)
        kafka_port, controller, spark_port = (
            ports.take(_FIRST_PORT, name, progress) for name in ("kafka", "controller", "spark")
        )
        lake, endpoint = Lake(str(data / "lake")), SparkEndpoint(spark_port)
        login = LoopbackPassword(BROKER_USER, token_urlsafe())
        services = {
            broker: broker_service(java, jars.kafka, data, env, kafka_port, controller, login),
            spark: spark_service(java, jars.spark, data, env, endpoint, spark_conf(lake)),
        }
        with ExitStack() as running:
            for archive, service in services.items():
                child = ChildProcess(_recorded(service, archive))
                running.callback(child.stop)
                child.start()
                child.wait_ready(progress)
            progress("a micro-batch")
            _one_batch(
                lake, KafkaSettings(f"{LOOPBACK}:{kafka_port}", security=login), endpoint.url
            )
            progress("writing the archives")
    _keep([broker, spark])


def _part(archive: Path) -> Path:
    return archive.with_suffix(".part")


def _recorded(service: Service, archive: Path) -> Service:
    java, *rest = service.argv
    return replace(
        service,
        argv=(java, *recording(_part(archive)), *rest),
        start_timeout=_START_SECONDS,
        stop_timeout=_WRITE_SECONDS,
    )


def _one_batch(lake: Lake, kafka: KafkaSettings, spark_url: str) -> None:
    registry = MeterRegistry()
    times = pd.date_range("2024-03-05", periods=_READINGS, freq="5min", tz="UTC", unit="ns")
    readings = pd.DataFrame({"meter": registry.default.name, "ts": times, "value": 1.0})
    ensure_topics(kafka)
    with remote_session(spark_url) as spark:
        # Again, as hours that are there already take another way.
        for _ in range(2):
            play(
                kafka, readings, "recording", Pace(accelerator=AS_FAST_AS_POSSIBLE), lambda _: None
            )
            drain_topics(spark, lake, registry, kafka, lambda _: None)


def _keep(archives: Sequence[Path]) -> None:
    """Put what was written in its place, in one step each, and remove what is of other jars."""
    for archive in archives:
        _part(archive).replace(archive)
    for other in {*archives[0].parent.iterdir()} - {*archives}:
        other.unlink()
