"""Each Terraform command starts a provider of 700 MB: few commands, all of them once a session."""

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from usage_platform_tests.terraform.terraform_command import (
    SOURCE,
    Terraform,
    TestRuns,
    initialized,
    not_here,
)

_MOTO_SECONDS = 60.0


@pytest.fixture(scope="session")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform on a copy of the configuration, with its provider."""
    return initialized(tmp_path_factory.mktemp("terraform") / "copy")


@pytest.fixture(scope="session")
def offline(terraform: Terraform) -> TestRuns:
    """The runs with a mocked provider, the plans of the real one, and the example variables."""
    tests = terraform.folder / "tests"
    (tests / "examples.tftest.hcl").write_text(_runs_of_examples(), "utf-8")
    return terraform.test()


def _runs_of_examples() -> str:
    """A run for each example of variables: such a file's lines are those of a variables block."""
    blocks = ['mock_provider "aws" {\n  source = "./tests/mocks"\n}']
    for path in sorted(SOURCE.glob("*.tfvars.example")):
        name = path.name.partition(".")[0]
        values = path.read_text("utf-8")
        blocks.append(f'run "{name}" {{\n  command = plan\n  variables {{\n{values}}}\n}}')
    return "\n\n".join(blocks)


@pytest.fixture(scope="session")
def moto_url(
    unused_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Moto's server, a double of AWS, in a process of its own."""
    port = unused_port()
    log = tmp_path_factory.mktemp("moto") / "moto.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env={"MOTO_IAM_LOAD_MANAGED_POLICIES": "true", "PATH": ""},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(server, port, log)
            # By number: with a name the provider would put the bucket's before it.
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _MOTO_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            not_here(f"moto does not start: {log.read_text('utf-8')[-500:]}")
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"moto does not answer: {log.read_text('utf-8')[-500:]}")


@pytest.fixture(scope="session")
def applied(terraform: Terraform, moto_url: str) -> TestRuns:
    """Everything made on moto, and taken away again."""
    env = {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        # Of what moto cannot do the provider would ask for ten minutes.
        "AWS_MAX_ATTEMPTS": "2",
    }
    return terraform.test("-verbose", "-test-directory=tests/moto", env=env)


@pytest.fixture(scope="session")
def checkers() -> Path:
    """The programs of `.venv-aws`, which pin too much to live in the tests' own environment."""
    folder = SOURCE.parent / ".venv-aws" / "bin"
    if not (folder / "checkov").exists():
        not_here("checkov and parliament are not installed: make test-aws does it")
    if shutil.which(str(folder / "python")) is None:
        not_here(f"{folder} holds no Python that runs")
    return folder
