"""A provider has 700 MB: few commands, all of them once a session, and few starts of it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from usage_platform_tests.aws_double import aws_server
from usage_platform_tests.terraform.stack_state import STACK
from usage_platform_tests.terraform.terraform_command import (
    SOURCE,
    Terraform,
    TestRuns,
    initialized,
    not_here,
)


@pytest.fixture(scope="package")
def terraform(tmp_path_factory: pytest.TempPathFactory) -> Terraform:
    """Terraform on a copy of the configuration, with its provider."""
    return initialized(tmp_path_factory.mktemp("terraform") / "copy")


@pytest.fixture(scope="package")
def offline(terraform: Terraform) -> TestRuns:
    """The runs with a mocked provider, the plans of the real one, and the example variables."""
    tests = terraform.folder / "tests"
    (tests / "examples.tftest.hcl").write_text(_runs_of_examples(), "utf-8")
    with terraform.started_provider() as provider:
        return terraform.test(env=provider)


def _runs_of_examples() -> str:
    """A run for each example of variables: such a file's lines are those of a variables block."""
    blocks = ['mock_provider "aws" {\n  source = "./tests/mocks"\n}']
    for path in sorted(SOURCE.glob("*.tfvars.example")):
        name = path.name.partition(".")[0]
        values = path.read_text("utf-8")
        blocks.append(f'run "{name}" {{\n  command = plan\n  variables {{\n{values}}}\n}}')
    return "\n\n".join(blocks)


@pytest.fixture(scope="package")
def empty_aws(
    unused_port: Callable[[], int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a double of AWS that nobody else uses: at the end nothing may be on it."""
    with aws_server(unused_port(), tmp_path_factory.mktemp("empty_aws") / "log") as endpoint:
        yield endpoint


@pytest.fixture(scope="package")
def applied(terraform: Terraform, empty_aws: str) -> TestRuns:
    """Everything made on moto, and taken away again."""
    env = {
        "AWS_ENDPOINT_URL": empty_aws,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        # Of what moto cannot do the provider would ask for ten minutes.
        "AWS_MAX_ATTEMPTS": "2",
    }
    with terraform.started_provider(env) as provider:
        return terraform.test("-verbose", "-test-directory=tests/moto", env={**env, **provider})


@pytest.fixture(scope="package")
def checkers() -> Path:
    """The programs of `.venv-aws`, which pin too much to live in the tests' own environment."""
    folder = SOURCE.parent / ".venv-aws" / "bin"
    if not (folder / "checkov").exists():
        not_here("checkov and parliament are not installed: make test-aws does it")
    if shutil.which(str(folder / "python")) is None:
        not_here(f"{folder} holds no Python that runs")
    return folder


@pytest.fixture(scope="package")
def state(applied: TestRuns) -> dict[str, Any]:
    """The state after everything was made on a double of AWS."""
    assert STACK in applied.states, applied.errors
    return applied.states[STACK]
