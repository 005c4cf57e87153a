"""The warm Spark Connect server: one JVM on the loopback address that keeps a session ready.

Belongs here: its command, its folders, where it listens, what its Python workers can import, and
whether it answers. Not here: how Spark treats tables and topics (the caller's settings), sessions
and queries (adapters), or keeping it running (supervisor).
"""

import re
import secrets
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from usage_platform.local.class_archive import class_archive, reading
from usage_platform.local.jars import pyspark_home
from usage_platform.local.java import JavaHome
from usage_platform.local.listeners import own_server_replies
from usage_platform.local.ports import LOOPBACK
from usage_platform.local.process import Service
from usage_platform.local.replies import GRPC
from usage_platform.local.shipped_files import REPOSITORY_ROOT

_SERVER_CLASS = "org.apache.spark.sql.connect.service.SparkConnectServer"
_DEFAULT_MEMORY = "1g"
# Not a setting of Spark's, which every client can read.
_TOKEN = "SPARK_CONNECT_AUTHENTICATE_TOKEN"  # noqa: S105 - the variable's name
_OPENED = (
    *("java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio"),
    *("java.util", "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref"),
    *("sun.nio.ch", "sun.nio.cs", "sun.security.action", "sun.util.calendar"),
)
# As Spark's launcher gives them; a test compares the two.
_JAVA_OPTIONS = (
    "-XX:+IgnoreUnrecognizedVMOptions",
    "--add-modules=jdk.incubator.vector",
    *(f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENED),
    "--add-opens=java.security.jgss/sun.security.krb5=ALL-UNNAMED",
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dderby.connection.requireAuthentication=false",
)
_LOGGING_FILE = Path("conf", "log4j2.properties")
SETTINGS_FILE = Path("conf", "spark-defaults.conf")
"""Where the settings are in the folder of a process of Spark."""
_LOGGING = """\
status = warn
appender.console.type = Console
appender.console.name = console
appender.console.target = SYSTEM_ERR
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d{ISO8601} %-5p %c{1} %m%n
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""

MASTER = "spark-master"
"""The service that a cluster of this machine begins with (`spark_cluster`)."""


@dataclass(frozen=True)
class SparkEndpoint:
    """Where the service listens, and what each request must bear: whoever sends one can run code.

    Attributes:
        port: The port on 127.0.0.1.
        token: Letters, digits, - and _; empty where nobody else
            reaches the port, as in a container.
    """

    port: int
    token: str = field(default_factory=secrets.token_urlsafe, repr=False)

    @property
    def url(self) -> str:
        """The Spark Connect URL, for processes of this user only.

        The token is a header of its own: with the parameter `token` pyspark asks for TLS, but for
        the host `localhost`, which may be ::1 and another user's server there.
        """
        bearer = f"/;authorization=Bearer%20{self.token}" if self.token else ""
        return f"sc://{LOOPBACK}:{self.port}{bearer}"


def spark_service(
    java: JavaHome,
    jars: Sequence[Path],
    data_dir: Path,
    env: Mapping[str, str],
    endpoint: SparkEndpoint,
    conf: Mapping[str, str],
) -> Service:
    """Describe the Spark Connect server.

    Args:
        java: Runs it.
        jars: The folders of the jars it needs beside pyspark's own, Delta's and Kafka's first.
        data_dir: The platform's data folder: it keeps its files in `spark`, its log in `logs`, its
            pid file in `run`. The temporary ones are emptied before each start.
        env: The environment it runs in. Spark's own variables in it are left out: the service is
            what `conf` says, not what this shell was set up for.
        endpoint: Where clients reach it, and what they must know.
        conf: Spark settings. They may not change where it listens or keeps its files; the master is
            local[*] unless given.

    Returns:
        The service. Preparing it writes its settings.

    Raises:
        LocalError: When pyspark is not installed.
    """
    data_dir = data_dir.absolute()
    home, pid_file = data_dir / "spark", data_dir / "run" / "spark.pid"
    settings = {"spark.master": "local[*]", **conf, **_own_settings(home, endpoint.port)}
    memory = settings.get("spark.driver.memory", _DEFAULT_MEMORY)
    program = (
        *("org.apache.spark.deploy.SparkSubmit", "--class", _SERVER_CLASS),
        *("--name", "usage-platform", "--properties-file", str(home / SETTINGS_FILE)),
        "spark-internal",
    )
    token = {_TOKEN: endpoint.token} if endpoint.token else {}
    return Service(
        name="spark",
        argv=java_command(java, jars, home, memory, program),
        env=spark_environment(env, java, home) | token,
        cwd=home,
        log_file=data_dir / "logs" / "spark.log",
        pid_file=pid_file,
        ready=partial(own_server_replies, endpoint.port, GRPC, pid_file),
        needs=(MASTER,),
        start_timeout=120.0,
        stop_timeout=30.0,
        prepare=partial(prepare_home, home, settings),
    )


def recorded_folders(jars: Sequence[Path]) -> list[Path]:
    """The folders of jars that the class path begins with, whatever a lake needs beside them.

    Java takes an archive of these for any class path that begins so.
    """
    return [jars[0].absolute(), pyspark_home() / "jars"]


def java_command(
    java: JavaHome, jars: Sequence[Path], home: Path, memory: str, program: Sequence[str]
) -> tuple[str, ...]:
    """What `spark-submit` or `spark-class` would run in the end.

    It puts the folder of the settings into the class path, and Java's class data sharing refuses
    one with a folder of files; and its launcher is one more JVM to start.

    Args:
        java: Runs it.
        jars: As for `spark_service`.
        home: The folder of its files (`prepare_home`).
        memory: The most memory of its objects, as Java's -Xmx takes it.
        program: The class, and its arguments.
    """
    recorded = recorded_folders(jars)
    folders = [*recorded, *(folder.absolute() for folder in jars[1:])]
    return (
        str(java.java),
        *("-cp", ":".join(f"{folder}/*" for folder in folders)),
        f"-Xmx{memory}",
        *reading(class_archive(java, recorded)),
        f"-Dlog4j2.configurationFile={(home / _LOGGING_FILE).as_uri()}",
        f"-Djava.io.tmpdir={home / 'tmp'}",
        "-XX:+ExitOnOutOfMemoryError",
        *_JAVA_OPTIONS,
        *program,
    )


def properties_text(settings: Mapping[str, str]) -> str:
    """Write settings as a Java properties file.

    Args:
        settings: Values by key; any text but a line break at the start or end of a value.

    Returns:
        The file's text, sorted by key.
    """
    return "".join(
        f"{_escaped(key, also=':=#! ')}={_escaped(value)}\n"
        for key, value in sorted(settings.items())
    )


def _escaped(text: str, also: str = "") -> str:
    text = re.sub(f"[\\\\{also}]", lambda match: "\\" + match[0], text)
    return text.replace("\n", "\\n")


def _own_settings(home: Path, port: int) -> dict[str, str]:
    """Where the server listens and keeps its files."""
    return {
        "spark.connect.grpc.binding.address": LOOPBACK,
        "spark.connect.grpc.binding.port": str(port),
        "spark.driver.bindAddress": LOOPBACK,
        "spark.driver.host": LOOPBACK,
        "spark.sql.catalogImplementation": "in-memory",
        "spark.sql.warehouse.dir": (home / "warehouse").as_uri(),
        "spark.ui.enabled": "false",
        # Its own ports take serialized objects; Spark makes the secret, which never leaves the JVM.
        "spark.authenticate": "true",
    }


def spark_environment(env: Mapping[str, str], java: JavaHome, home: Path) -> dict[str, str]:
    """The environment of a process of Spark, without variables of this shell's own Spark.

    Args:
        env: That of this process.
        java: Runs it.
        home: The folder of its files (`prepare_home`).
    """
    kept = {key: env[key] for key in env if not key.startswith(("SPARK_", "PYSPARK_"))}
    # The workers that run foreachBatch import this package, wherever it was started from.
    paths = [str(REPOSITORY_ROOT), *filter(None, [env.get("PYTHONPATH")])]
    return kept | {
        "JAVA_HOME": str(java.home),
        # As spark-submit sets it: workers must agree on the hashes of strings.
        "PYTHONHASHSEED": "0",
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONPATH": ":".join(paths),
        "SPARK_CONF_DIR": str(home / "conf"),
        "SPARK_HOME": str(home / "home"),
        "SPARK_LOCAL_DIRS": str(home / "tmp"),
        "SPARK_LOCAL_IP": LOOPBACK,
    }


def prepare_home(home: Path, settings: Mapping[str, str]) -> None:
    """Make the folder of a process of Spark, with its settings and nothing of a former process."""
    # A server that was killed leaves its copies of jars and shuffle files behind.
    shutil.rmtree(home / "tmp", ignore_errors=True)
    (home / "tmp").mkdir(parents=True)
    _link_home(home / "home")
    (home / "conf").mkdir(exist_ok=True)
    (home / _LOGGING_FILE).write_text(_LOGGING, "utf-8")
    defaults = home / SETTINGS_FILE
    # It may hold the keys of an object store.
    defaults.touch(mode=0o600)
    defaults.write_text(properties_text(settings), "utf-8")


def _link_home(spark_home: Path) -> None:
    """Make a SPARK_HOME that has what the server needs and no `python/lib/pyspark.zip`.

    Where that file is, Spark's Python workers import pyspark from it, and compile it again at each
    start: 2.6 s of a processor against 1.0 s. A worker that takes 10 s to call back, on a busy
    machine, has to be started again.
    """
    spark_home.mkdir(exist_ok=True)
    for name in ("bin", "jars"):
        link = spark_home / name
        link.unlink(missing_ok=True)
        link.symlink_to(pyspark_home() / name)
