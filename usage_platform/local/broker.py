"""The embedded Apache Kafka broker: one KRaft node on the loopback address.

Belongs here: its settings, its data folder's format, its command and whether it answers. Not here:
topics and clients (adapters), or keeping it running (supervisor).
"""

import base64
import logging
import re
import shutil
import subprocess
import uuid
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from usage_platform.adapters.kafka.security import LoopbackPassword
from usage_platform.local.class_archive import class_archive, reading
from usage_platform.local.errors import LocalError
from usage_platform.local.java import JavaHome
from usage_platform.local.ports import LOOPBACK, port_answers
from usage_platform.local.process import Service

BROKER_USER = "platform"
JAVA_CLIENT_FILE = "client.properties"
LIBRDKAFKA_CLIENT_FILE = "librdkafka.conf"
_NODE_ID = 1
_YEAR_MINUTES = 365 * 24 * 60
_LONGEST_MS = 2**31 - 1
_ANSWER_WITHIN_S = 2.0
_SETTINGS = f"""\
process.roles=broker,controller
node.id={_NODE_ID}
controller.quorum.voters={_NODE_ID}@{LOOPBACK}:{{controller_port}}
listeners={{protocol}}://{LOOPBACK}:{{port}},CONTROLLER://{LOOPBACK}:{{controller_port}}
advertised.listeners={{protocol}}://{LOOPBACK}:{{port}}
controller.listener.names=CONTROLLER
inter.broker.listener.name={{protocol}}
listener.security.protocol.map={{protocol}}:{{protocol}},CONTROLLER:{{protocol}}
log.dirs={{log_dir}}
auto.create.topics.enable=false
# Playback's progress is the topic itself, and a lake lost is rebuilt from it: keep all of it. A
# meter's year is a few megabytes.
log.retention.ms=-1
log.segment.bytes=67108864
# A platform switched off for a holiday must find its offsets again.
offsets.retention.minutes={_YEAR_MINUTES}
transactional.id.expiration.ms={_LONGEST_MS}
# One node: nothing to replicate to, and few partitions to open after a start.
default.replication.factor=1
min.insync.replicas=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
# A broker that was killed may join again only when its former session has run out.
broker.session.timeout.ms=4000
broker.heartbeat.interval.ms=500
# The controller writes a sign of life of its own twice a second by default; one node needs none.
metadata.max.idle.interval.ms=5000
# The default takes a quarter of this broker's heap.
log.cleaner.dedupe.buffer.size=16777216
"""
# The broker and its controller are clients of each other, too.
_SETTINGS_OF_LOGIN = """\
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
sasl.mechanism.controller.protocol=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={jaas}
listener.name.controller.plain.sasl.jaas.config={jaas}
"""
_LOGGING = """\
status=warn
shutdownHook=disable
appender.console.type=Console
appender.console.name=console
appender.console.layout.type=PatternLayout
appender.console.layout.pattern=%d{ISO8601} %-5p %c{1} %m%n
rootLogger.level=warn
rootLogger.appenderRef.console.ref=console
# It says every 50 ms that the broker, still starting, does not answer itself.
logger.client.name=org.apache.kafka.clients.NetworkClient
logger.client.level=error
logger.server.name=kafka.server.BrokerServer
logger.server.level=info
"""


def broker_service(
    java: JavaHome,
    jars: Path,
    data_dir: Path,
    env: Mapping[str, str],
    port: int,
    controller_port: int,
    login: LoopbackPassword | None = None,
) -> Service:
    """Describe the broker.

    Args:
        java: Runs it.
        jars: The folder of the broker's jars.
        data_dir: The platform's data folder: the broker keeps its data in `kafka`, its log in
            `logs`, its pid file in `run`.
        env: The environment it runs in.
        port: Where clients reach it, on 127.0.0.1.
        controller_port: Where it reaches itself.
        login: The one user that it takes; None where nobody else reaches the ports, as in tests.

    Returns:
        The service. Preparing it writes its settings and formats its folder where that is needed.
    """
    data_dir = data_dir.absolute()
    home = data_dir / "kafka"
    base = (
        *(str(java.java), "-cp", f"{jars.absolute()}/*", "-Xmx1g", "-XX:+ExitOnOutOfMemoryError"),
        *reading(class_archive(java, [jars])),
        f"-Dlog4j2.configurationFile={(home / 'log4j2.properties').as_uri()}",
    )
    settings = _SETTINGS.format(
        protocol="SASL_PLAINTEXT" if login else "PLAINTEXT",
        port=port,
        controller_port=controller_port,
        log_dir=home / "data",
    )
    files = {"log4j2.properties": _LOGGING}
    if login is not None:
        jaas = login.java()["sasl.jaas.config"].removesuffix(";")
        known = f'{jaas} user_{login.user}="{login.password}";'
        settings += _SETTINGS_OF_LOGIN.format(jaas=known)
        files |= client_files(f"{LOOPBACK}:{port}", login)
    files["server.properties"] = settings
    return Service(
        name="kafka",
        argv=(*base, "kafka.Kafka", str(home / "server.properties")),
        env=env,
        cwd=home,
        log_file=data_dir / "logs" / "kafka.log",
        pid_file=data_dir / "run" / "kafka.pid",
        ready=partial(broker_answers, port, login),
        stop_timeout=30.0,
        prepare=partial(_prepare, home, files, base, env),
    )


def client_files(bootstrap: str, login: LoopbackPassword) -> dict[str, str]:
    """What programs of this user connect with: files by their names in the broker's folder.

    Args:
        bootstrap: Where the broker listens, host:port.
        login: What it asks for.
    """
    address = {"bootstrap.servers": bootstrap}
    settings = {
        JAVA_CLIENT_FILE: {**address, **login.java()},
        LIBRDKAFKA_CLIENT_FILE: {**address, **login.client()},
    }
    return {
        name: "".join(f"{key}={value}\n" for key, value in of_client.items())
        for name, of_client in settings.items()
    }


def broker_answers(port: int, login: LoopbackPassword | None = None) -> bool:
    """Whether a broker that is ready for clients listens on 127.0.0.1:`port`.

    Args:
        port: The port.
        login: What it asks for.
    """
    # Before the client, which tries for long and says so on the console.
    if not port_answers(port):
        return False
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import AdminClient

    silent = logging.Logger("usage_platform.local.broker", logging.CRITICAL + 1)
    known = {} if login is None else login.client()
    client = {"bootstrap.servers": f"{LOOPBACK}:{port}", **known}
    with AdminClient(client, logger=silent) as client:
        try:
            # A node that has not joined its own cluster yet answers with no brokers.
            return bool(client.list_topics(timeout=_ANSWER_WITHIN_S).brokers)
        except KafkaException:
            return False


def is_formatted(log_dir: Path) -> bool:
    """Whether a data folder has been formatted to the end.

    Args:
        log_dir: The broker's `log.dirs`; may be missing.
    """
    try:
        # Formatting writes this file last.
        text = (log_dir / "meta.properties").read_text("utf-8")
    except (FileNotFoundError, UnicodeDecodeError):
        return False
    found = dict(re.findall(r"^([a-z.]+)=(\S+)$", text, re.MULTILINE))
    return {"version", "cluster.id"} <= found.keys() and found.get("node.id") == str(_NODE_ID)


def holds_topics(log_dir: Path) -> bool:
    """Whether a data folder holds records of any topic (the cluster's own metadata are none).

    Args:
        log_dir: The broker's `log.dirs`; may be missing.
    """
    return any(
        segment.stat().st_size
        for segment in log_dir.glob("*-*/*.log")
        if not segment.parent.name.startswith("__cluster_metadata")
    )


def _prepare(
    home: Path, files: Mapping[str, str], base: tuple[str, ...], env: Mapping[str, str]
) -> None:
    log_dir = home / "data"
    for name, text in files.items():
        # They may hold the password; a former version wrote them for all.
        (home / name).touch(mode=0o600)
        (home / name).chmod(0o600)
        (home / name).write_text(text, "utf-8")
    if is_formatted(log_dir):
        return
    if holds_topics(log_dir):
        raise LocalError(
            f"kafka's folder {log_dir} holds topics, but its meta.properties is missing or "
            "damaged: put that file back, or move the folder away to start with an empty broker"
        )
    shutil.rmtree(log_dir, ignore_errors=True)
    done = subprocess.run(  # noqa: S603 - our own command, no shell
        (
            *(*base, "kafka.tools.StorageTool", "format"),
            *("--cluster-id", _new_cluster_id(), "--config", str(home / "server.properties")),
        ),
        env=dict(env),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode or not is_formatted(log_dir):
        said = " ".join((done.stdout + done.stderr).split())
        raise LocalError(
            f"kafka's folder {log_dir} could not be formatted ({said[-200:]}): "
            "check that it can be written and that the disk is not full"
        )


def _new_cluster_id() -> str:
    """A random id as Kafka writes them: 16 bytes in URL-safe base 64, without padding.

    None begins with a dash, which its tools would take for an option's.
    """
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode("ascii").rstrip("=")
        if not text.startswith("-"):
            return text
