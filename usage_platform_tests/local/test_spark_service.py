"""The Spark service: what it is told, and that it answers and leaves nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usage_platform.adapters.spark.session import SparkUnreachableError, remote_session
from usage_platform.local.jars import pyspark_home
from usage_platform.local.java import JavaHome
from usage_platform.local.pid import session_members
from usage_platform.local.ports import port_answers
from usage_platform.local.process import ChildProcess
from usage_platform.local.spark_service import SparkEndpoint, properties_text, spark_service
from usage_platform_tests.e2e.conftest import wait_for

JAVA = JavaHome(Path("/java"), 17)
ENDPOINT = SparkEndpoint(15002)


def described(tmp_path, env=None, conf=None):
    return spark_service(JAVA, [tmp_path / "jars"], tmp_path, env or {}, ENDPOINT, conf or {})


def unescaped(line: str) -> tuple[str, str]:
    """Read a line as java.util.Properties does, as far as these use it."""
    parts, escaped = [""], False
    for char in line:
        if escaped:
            parts[-1] += {"n": "\n"}.get(char, char)
            escaped = False
        elif char == "\\":
            escaped = True
        elif char == "=" and len(parts) == 1:
            parts.append("")
        else:
            parts[-1] += char
    return parts[0], parts[1]


@given(
    st.text("ab.:=#! \\", min_size=1).filter(str.strip),
    st.text("ab.:=#! \\\n").filter(lambda value: value == value.strip()),
)
def test_any_setting_is_read_back_by_java_as_it_was_given(key, value):
    (line,) = properties_text({key: value}).splitlines()
    assert unescaped(line) == (key, value)


def test_settings_may_not_move_it_to_another_address_or_folder(tmp_path):
    conf = {"spark.connect.grpc.binding.address": "0.0.0.0", "spark.sql.shuffle.partitions": "4"}  # noqa: S104
    described(tmp_path, conf=conf).prepare()
    text = (tmp_path / "spark" / "conf" / "spark-defaults.conf").read_text()
    assert "spark.connect.grpc.binding.address=127.0.0.1\n" in text
    assert "spark.sql.shuffle.partitions=4\n" in text
    assert "spark.master=local[*]\n" in text


def test_only_its_user_may_read_its_settings(tmp_path):
    described(tmp_path).prepare()
    mode = (tmp_path / "spark" / "conf" / "spark-defaults.conf").stat().st_mode
    assert mode & 0o077 == 0


def test_what_a_killed_server_left_is_cleared_away(tmp_path):
    left = tmp_path / "spark" / "tmp" / "blockmgr-1"
    left.mkdir(parents=True)
    described(tmp_path).prepare()
    assert list((tmp_path / "spark" / "tmp").iterdir()) == []


def test_its_workers_import_pyspark_as_it_is_installed_and_not_from_the_zip(tmp_path):
    service = described(tmp_path)
    for _ in range(2):
        service.prepare()
    home = Path(service.env["SPARK_HOME"])
    assert (home / "jars").resolve() == (pyspark_home() / "jars").resolve()
    assert not (home / "python").exists()


def test_the_shells_own_spark_does_not_leak_in(tmp_path):
    env = {"SPARK_REMOTE": "sc://x", "PYSPARK_PYTHON": "/x", "HOME": "/h", "PYTHONPATH": "/mine"}
    got = described(tmp_path, env).env
    assert "SPARK_REMOTE" not in got
    assert got["PYSPARK_PYTHON"] == sys.executable
    assert got["HOME"] == "/h"
    assert got["PYTHONPATH"].endswith(":/mine")
    assert (Path(got["PYTHONPATH"].split(":")[0]) / "usage_platform").is_dir()


def test_its_token_is_in_no_setting_and_on_no_command_line(tmp_path):
    service = described(tmp_path)
    service.prepare()
    text = (tmp_path / "spark" / "conf" / "spark-defaults.conf").read_text()
    assert ENDPOINT.token in ENDPOINT.url
    assert not [part for part in (*service.argv, text, repr(ENDPOINT)) if ENDPOINT.token in part]
    assert len(ENDPOINT.token) > 30
    assert SparkEndpoint(15002).token != ENDPOINT.token


@pytest.mark.spark
def test_java_gets_the_options_that_sparks_own_launcher_gives_it(java, tmp_path):
    home = pyspark_home()
    launcher = (str(java.java), "-cp", f"{home / 'jars'}/*", "org.apache.spark.launcher.Main")
    submit = ("org.apache.spark.deploy.SparkSubmit", "--class", "any", "spark-internal")
    env = {"SPARK_HOME": str(home), "SPARK_SCALA_VERSION": "2.13"}
    done = subprocess.run([*launcher, *submit], env=env, capture_output=True, text=True, check=True)
    theirs = done.stdout.strip().strip("\0").split("\0")
    after = theirs.index("-Xmx1g") + 1
    options = theirs[after : theirs.index(submit[0])]
    argv = described(tmp_path).argv
    first = argv.index(options[0])
    assert len(options) > 10
    assert argv[first : first + len(options) + 1] == (*options, submit[0])
    assert "-Xmx1g" in argv
    assert "-Xmx3g" in described(tmp_path, conf={"spark.driver.memory": "3g"}).argv


@pytest.mark.spark
def test_it_answers_a_query_but_not_when_stopped_and_is_gone_after_stop(
    java, jar_folders, tmp_path, unused_port
):
    from pyspark.sql.connect.session import SparkSession

    endpoint = SparkEndpoint(unused_port())
    conf = {"spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension"}
    folder = tmp_path / "a folder"
    service = spark_service(java, jar_folders.spark, folder, os.environ, endpoint, conf)
    child = ChildProcess(service)
    child.start()
    try:
        child.wait_ready(lambda text: None)
        # Not builder.remote: that would become the session of every later test.
        session = SparkSession.builder.remote(endpoint.url).create()
        assert session.sql("SELECT 1 AS one").collect()[0].one == 1
        session.client.close()
        for token in ("", ";authorization=Bearer%20guessed"):
            with (
                pytest.raises(SparkUnreachableError) as refused,
                remote_session(f"sc://127.0.0.1:{endpoint.port}/{token}"),
            ):
                pass
            assert "guessed" not in str(refused.value)
        # A busy machine stops and continues its threads one after the other.
        os.kill(child.pid, signal.SIGSTOP)
        wait_for("a service that is not ready", lambda: not service.ready(), 30)
        os.kill(child.pid, signal.SIGCONT)
        wait_for("a service that is ready again", service.ready, 30)
    finally:
        pid = child.pid
        child.stop()
    assert not port_answers(endpoint.port)
    assert session_members(pid) == []
