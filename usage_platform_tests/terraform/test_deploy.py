"""The image: its recipe, Dagster's instance, and the two programs that become a service."""

import os
import re
import runpy
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from usage_platform.local.page_scripts import VENDOR
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform
from usage_platform_tests.terraform.terraform_command import SOURCE

pytestmark = pytest.mark.aws

ROOT = SOURCE.parent
RECIPE = (ROOT / "Dockerfile").read_text("utf-8")
# What lies elsewhere on AWS; all else is as on one machine.
ELSEWHERE = {"storage", "compute_logs", "local_artifact_storage"}


class BecameError(Exception):
    """The process would be this command now."""


@pytest.fixture
def become(monkeypatch: pytest.MonkeyPatch):
    """Run one of the programs up to where it becomes a command; the command and its environment."""

    def stop(program: str, command: list[str], env: dict[str, str] | None = None) -> None:
        assert Path(program).exists()
        raise BecameError(list(command), env)

    monkeypatch.setattr(os, "execv", stop)
    monkeypatch.setattr(os, "execve", stop)

    def run(name: str, port: str) -> tuple[list[str], dict[str, str]]:
        monkeypatch.setattr("sys.argv", [name, port])
        with pytest.raises(BecameError) as became:
            runpy.run_path(str(ROOT / "deploy" / name), run_name="__main__")
        return became.value.args[0], became.value.args[1]

    return run


def test_dagsters_instance_is_that_of_one_machine_but_for_where_things_lie():
    here = yaml.safe_load((ROOT / "dagster.yaml").read_text("utf-8"))
    there = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text("utf-8"))
    assert here.keys() == there.keys()
    assert {name for name in here if here[name] != there[name]} == ELSEWHERE


def test_dagsters_password_comes_from_the_environment_and_its_link_is_encrypted():
    instance = yaml.safe_load((ROOT / "deploy" / "dagster.yaml").read_text("utf-8"))
    database = instance["storage"]["postgres"]["postgres_db"]
    assert database["password"] == {"env": "DAGSTER_POSTGRES_PASSWORD"}
    assert database["params"] == {"sslmode": "require"}
    # SQLAlchemy's own choice is a driver that dagster-postgres does not bring.
    assert database["scheme"] == "postgresql+psycopg2"
    wanted = set(re.findall(r"env: (\w+)", (ROOT / "deploy" / "dagster.yaml").read_text("utf-8")))
    assert wanted <= set(re.findall(r"\b[A-Z_]+\b", (SOURCE / "ecs.tf").read_text("utf-8")))


def test_dagster_writes_only_where_the_image_lets_it():
    folder = re.search(r"USAGE_DATA=(\S+)", RECIPE)
    assert folder
    places = re.findall(r"_dir: (\S+)", (ROOT / "deploy" / "dagster.yaml").read_text("utf-8"))
    assert len(places) == 2
    assert all(place.startswith(f"{folder[1]}/") for place in places)


def test_containers_share_the_folder_in_which_writers_to_the_lake_take_turns(tmp_path):
    folder = re.search(r"USAGE_DATA=(\S+)", RECIPE)
    (shared,) = re.findall(r'shared_folder = "(.+)"', (SOURCE / "ecs.tf").read_text("utf-8"))
    assert folder
    writer = Platform(Settings.from_env({}, data=str(tmp_path))).lake_writer
    for lock in (writer._lock_file, writer._batch_file):
        assert str(Path(folder[1]) / lock.parent.relative_to(tmp_path)) == shared
    # Mounted over a folder that the image has as its user's; any other would be root's.
    install = re.search(
        r"install --directory --owner platform --group platform (.*?)\n(?!\s)", RECIPE, re.S
    )
    assert install
    assert shared in install[1].split()
    assert RECIPE.index(install[0]) < RECIPE.index(f"\nVOLUME {shared}\n")


@pytest.mark.parametrize("greeting", ["HTTP", "GRPC"])
def test_a_health_check_asks_for_an_answer_where_an_open_port_is_not_enough(greeting):
    text = (SOURCE / "ecs.tf").read_text("utf-8")
    (program,) = re.findall(r'replies = "(.+)"', text)
    assert text.count(f'"{greeting}"') >= 1

    def is_healthy(port: int) -> bool:
        command = [sys.executable, "-c", program % (port, greeting)]
        return subprocess.run(command, check=False).returncode == 0

    # The system takes connections for it, as for a process that hangs.
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert not is_healthy(port)
        # And now it works.
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(is_healthy, port)
            while not answer.done():
                server.settimeout(0.2)
                with suppress(TimeoutError):
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.sendall(b"HTTP/1.1 200 OK")
            assert answer.result()
    assert not is_healthy(port)


def test_the_image_runs_as_nobody_special_on_a_base_with_an_exact_version():
    assert RECIPE.index("USER platform") > RECIPE.rindex("RUN ")
    bases = re.findall(r"^FROM (\S+)", RECIPE, re.MULTILINE)
    outside = [base for base in bases if base not in {"java", "built"}]
    assert outside
    assert all(re.fullmatch(r"[\w/]+:\d+\.\d+\.\d+-[\w-]+", base) for base in outside)


def test_the_image_takes_packages_by_their_sums_only():
    installs = re.findall(r"pip install (.*?)(?: \\|$)", RECIPE, re.MULTILINE)
    assert len(installs) == 4
    # Built by what is installed already.
    own = "--no-deps --no-build-isolation --editable ."
    assert all("--require-hashes" in line or own in line for line in installs)


def test_an_image_without_the_pages_scripts_is_not_made():
    vendor = VENDOR.relative_to(ROOT)
    assert f"&& test -f {vendor}/package-lock.json" in RECIPE
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    # Those of whoever builds it were checked by nobody.
    assert ignored.index(str(vendor)) > ignored.index("!usage_platform")


def test_all_that_the_image_is_made_of_reaches_the_build():
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    let_in = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = {
        Path(name).parts[0]
        for line in re.findall(r"^COPY (?!--from)(?:--\S+ )*(.+)", RECIPE, re.MULTILINE)
        for name in line.split()[:-1]
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)


def test_each_program_that_a_container_starts_is_in_the_image():
    named = set(re.findall(r'"(deploy/[\w.]+)"', (SOURCE / "ecs.tf").read_text("utf-8")))
    assert len(named) == 3
    assert all((ROOT / name).exists() for name in named)


def test_the_page_listens_on_the_port_that_is_forwarded_to_people():
    (port,) = re.findall(r"\bpage += (\d+)", (SOURCE / "locals.tf").read_text("utf-8"))
    outputs = (SOURCE / "outputs.tf").read_text("utf-8")
    assert f"http://127.0.0.1:{port} of this machine" in outputs
    assert int(port) == Settings.model_fields["page_port"].default


def test_the_code_server_is_found_where_the_workspace_looks():
    text = (ROOT / "deploy" / "workspace.yaml").read_text("utf-8")
    server = yaml.safe_load(text)["load_from"][0]["grpc_server"]
    (port,) = re.findall(r"code_port += (\d+)", (SOURCE / "ecs.tf").read_text("utf-8"))
    assert server["port"] == int(port)
    assert server["host"] == "127.0.0.1"


def test_one_program_becomes_the_spark_service_on_loopback(become, tmp_path, monkeypatch):
    monkeypatch.setenv("USAGE_DATA", str(tmp_path))
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.chdir(tmp_path)
    command, env = become("spark_connect.py", "15999")
    assert "org.apache.spark.sql.connect.service.SparkConnectServer" in command
    assert env["AWS_REGION"] == "us-east-1"
    settings = (Path(env["SPARK_CONF_DIR"]) / "spark-defaults.conf").read_text("utf-8")
    assert "spark.connect.grpc.binding.port=15999" in settings
    assert "spark.connect.grpc.binding.address=127.0.0.1" in settings


def test_the_other_one_becomes_the_code_server_on_loopback(become, tmp_path, monkeypatch):
    (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", "utf-8")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    command, _ = become("code_server.py", "4999")
    assert command[1:] == [
        *("-P", "-m", "usage_platform.local.code_server", "-m", "usage_platform.definitions"),
        *("-h", "127.0.0.1", "-p", "4999"),
    ]
