"""What the stack starts and tells the processes that it starts, and what it gives back."""

import json
import os
import signal
import subprocess
import sys

import pytest

from usage_platform.adapters.kafka.security import LoopbackPassword, Plaintext
from usage_platform.adapters.lake.lease import LeaseError
from usage_platform.console.command_settings import without_alerts
from usage_platform.local import stack
from usage_platform.local.errors import LocalError
from usage_platform.local.jars import JarFolders
from usage_platform.local.java import JavaHome
from usage_platform.local.pid import identify, write_pid_file
from usage_platform.local.stack import Stack, name_java
from usage_platform.local.stack_file import StackFile, read_live
from usage_platform.local.supervisor import Supervisor
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform
from usage_platform_tests.conftest import DATA_DIR
from usage_platform_tests.local.fake_java import fake_java

URL = "https://h/geheim"


@pytest.fixture
def environments(java, jar_folders, unused_port, tmp_path, monkeypatch):
    """The environment of each process, by the process's name."""
    del java, jar_folders
    monkeypatch.setenv("USAGE_ALERT_SLACK_URL", URL)
    monkeypatch.setenv("USAGE_METER", "of the shell")
    ports = {name: unused_port() for name in ("kafka_port", "spark_port", "ui_port")}

    def plan(change=lambda settings: settings):
        given = {"data": tmp_path, "jars": DATA_DIR / "jars", "meter": "of the command", **ports}
        settings = change(Settings.from_env(**given))
        services = Stack(settings, print, lambda text: None)._plan()
        return {service.name: service.env for service in services}

    return plan


def test_only_dagsters_processes_get_secrets_and_the_settings_of_the_command_count(environments):
    found = environments()
    assert {name for name, env in found.items() if URL in env.values()} == {"code", "ui", "daemon"}
    assert found["code"]["USAGE_METER"] == "of the command"
    assert "PATH" in found["kafka"]


def test_what_runs_code_listens_where_only_this_user_can_send_it_any(environments):
    found = environments()
    token = found["spark"]["SPARK_CONNECT_AUTHENTICATE_TOKEN"]
    assert found["code"]["USAGE_SPARK_REMOTE"].endswith(f"Bearer%20{token}")
    assert not [name for name in ("kafka", "spark") if "USAGE_SPARK_REMOTE" in found[name]]


def test_the_brokers_password_is_in_no_environment_and_on_no_command_line(
    environments, tmp_path, monkeypatch
):
    monkeypatch.setattr(stack, "token_urlsafe", lambda: "of the broker")
    found = environments()
    assert [name for name, env in found.items() if "of the broker" in env.values()] == []
    assert [name for name, env in found.items() if "USAGE_KAFKA_BOOTSTRAP" in env] == []


def test_programs_of_the_data_folder_find_the_broker_and_its_password(tmp_path, monkeypatch):
    def plan(self):
        self.kafka, self._login = "127.0.0.1:1", LoopbackPassword("platform", "secret")
        return []

    monkeypatch.setattr(Stack, "_plan", plan)
    settings = Settings.from_env({}, data=tmp_path)
    with Stack(settings, print, lambda text: None):
        kafka = Platform(settings).kafka
        elsewhere = Settings.from_env({}, data=tmp_path, kafka_bootstrap="b:9092")
        assert Platform(elsewhere).kafka.security == Plaintext()
        assert (tmp_path / "run" / "stack.json").stat().st_mode & 0o077 == 0
    assert kafka.bootstrap == "127.0.0.1:1"
    assert kafka.security == LoopbackPassword("platform", "secret")
    assert "secret" not in repr(kafka)


def test_what_a_killed_platform_left_is_stopped_before_ports_are_chosen(tmp_path, monkeypatch):
    """Also of a service that this platform does not start."""
    run = tmp_path / "run"
    run.mkdir()
    argv = [sys.executable, "-c", "import time; time.sleep(600)"]
    left = subprocess.Popen(argv, start_new_session=True)
    named = identify(left.pid)
    assert named is not None
    write_pid_file(run / "spark-worker-7.pid", named)
    ran, said = [], []
    monkeypatch.setattr(Stack, "_plan", lambda self: ran.append(left.poll()) or [])
    with left, Stack(Settings.from_env({}, data=tmp_path), said.append, lambda text: None):
        assert ran == [-signal.SIGTERM]
    assert said == ["stopped what a killed platform had left running"]


def test_dagsters_processes_are_told_of_one_code_location(environments, monkeypatch):
    monkeypatch.setenv("DAGSTER_MODULE_NAME", "usage_platform.definitions")
    found = environments()
    assert not [name for name in ("code", "ui", "daemon") if "DAGSTER_MODULE_NAME" in found[name]]


def test_a_demo_alerts_nobody_whatever_the_shell_says(environments):
    assert not [name for name, env in environments(without_alerts).items() if URL in env.values()]


ELSEWHERE = {"kafka_bootstrap": "b:9092", "spark_remote": "sc://s:15002"}
DAGSTER = ["code", "ui", "daemon"]


@pytest.mark.parametrize(
    ("elsewhere", "names", "java"),
    [
        ((), ["kafka", "spark", *DAGSTER], 1),
        (("kafka_bootstrap",), ["spark", *DAGSTER], 1),
        (("spark_remote",), ["kafka", *DAGSTER], 1),
        (("kafka_bootstrap", "spark_remote"), DAGSTER, 0),
    ],
)
def test_what_is_elsewhere_is_neither_started_nor_set_up(
    elsewhere, names, java, tmp_path, monkeypatch, unused_port
):
    asked = []

    def set_up(*args):
        asked.append(args)
        folders = JarFolders(tmp_path / "kafka", (tmp_path / "spark",))
        return JavaHome(tmp_path / "java", 17), folders

    monkeypatch.setattr(stack, "set_up", set_up)
    ports = {name: unused_port() for name in ("kafka_port", "spark_port", "ui_port")}
    given = {name: ELSEWHERE[name] for name in elsewhere}
    settings = Settings.from_env({}, data=tmp_path, **ports, **given)
    planned = Stack(settings, print, lambda text: None)
    services = planned._plan()
    planned._ports.release()
    assert [service.name for service in services] == names
    assert len(asked) == java
    for name in elsewhere:
        variable = f"USAGE_{name.upper()}"
        assert {service.env.get(variable) for service in services[-3:]} == {ELSEWHERE[name]}


def test_a_master_and_its_workers_start_before_the_service_that_uses_them(
    java, jar_folders, tmp_path, unused_port
):
    del java, jar_folders
    ports = {name: unused_port() for name in ("kafka_port", "spark_port", "ui_port")}
    given = {"data": tmp_path, "jars": DATA_DIR / "jars", "spark_workers": 2, **ports}
    planned = Stack(Settings.from_env({}, **given), print, lambda text: None)
    services = planned._plan()
    planned._ports.release()
    names = ["kafka", "spark-master", "spark-worker-1", "spark-worker-2", "spark", *DAGSTER]
    assert [service.name for service in services] == names
    code = next(service for service in services if service.name == "code")
    assert Platform(Settings.from_env(code.env)).executor_tasks >= 2
    assert not [s for s in services if planned._cluster.secret in (*s.argv, *s.env.values())]


def test_workers_of_a_spark_that_is_elsewhere_are_refused(tmp_path):
    settings = Settings.from_env({}, data=tmp_path, spark_workers=2, spark_remote="sc://s:15002")
    with pytest.raises(LocalError, match="USAGE_SPARK_WORKERS: workers are those of the embedded"):
        Stack(settings, print, lambda text: None)._plan()


def test_all_is_given_back_though_the_stopping_is_broken_off(tmp_path, monkeypatch):
    def interrupted(self):
        raise KeyboardInterrupt

    monkeypatch.setattr(Stack, "_plan", lambda self: [])
    settings = Settings.from_env({}, data=tmp_path)
    with pytest.raises(KeyboardInterrupt), Stack(settings, print, lambda text: None):
        monkeypatch.setattr(Supervisor, "stop", interrupted)
    lease = json.loads((tmp_path / "lake" / "leases" / "writer.json").read_text())
    assert lease["expires"] == lease["renewed"]
    with StackFile(tmp_path):
        assert read_live(tmp_path) is None


def test_a_lease_that_cannot_be_given_back_keeps_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(Stack, "_plan", lambda self: [])
    settings = Settings.from_env({}, data=tmp_path)
    with (
        pytest.raises(LeaseError, match="is not a lease"),
        Stack(settings, print, lambda text: None),
    ):
        (tmp_path / "lake" / "leases" / "writer.json").write_text("{}")
    with StackFile(tmp_path):
        assert read_live(tmp_path) is None


@pytest.mark.usefixtures("nothing_installed")
def test_the_java_that_set_up_fetched_is_named_to_this_process(tmp_path, monkeypatch):
    monkeypatch.setenv("JAVA_HOME", "")
    monkeypatch.setenv("PATH", "/bin")
    settings = Settings.from_env({}, data=tmp_path / "other", jars=tmp_path / "jars")
    with pytest.raises(LocalError, match=r"no Java 17 to 25 .*run make setup, or set JAVA_HOME"):
        name_java(settings)
    fetched = fake_java(tmp_path / "jdk" / "jdk-17", "17")
    name_java(settings)
    assert os.environ["JAVA_HOME"] == str(fetched)
