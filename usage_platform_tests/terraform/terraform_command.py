"""Terraform for the tests: the program, a provider that is there already, and what a test run said.

Belongs here: finding both, and running one command on a copy of the configuration. Not here: what
is expected of the configuration.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path
from typing import Any, NoReturn

import pytest

from usage_platform_tests.repository import ROOT

SOURCE = ROOT / "terraform"
# Under the name of the registry that it came from.
_PROVIDER = "*/hashicorp/aws"
# Where people and images keep providers that `terraform providers mirror` has fetched.
_PLUGIN_FOLDERS = (
    "~/.terraform.d/plugins",
    "/usr/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/opt/*plugins*",
)


def not_here(what: str) -> NoReturn:
    """Skip where something is missing; fail in CI, where nobody would see that it always is."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@dataclass(frozen=True)
class TestRuns:
    """What `terraform test` said of its run blocks.

    Attributes:
        exit_code: The command's.
        statuses: pass, fail, error or skip, by file:run.
        errors: What was wrong, as told.
        states: The state after a run that applied, by file:run.
        plans: The plan of a run that only planned, by file:run.
    """

    __test__ = False

    exit_code: int
    statuses: dict[str, str] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)

    def must_have_passed(self) -> None:
        """Fail with what Terraform said, unless each run passed and what was made is gone."""
        failed = {name: status for name, status in self.statuses.items() if status != "pass"}
        assert not failed, "\n".join([str(failed), *self.errors])
        assert self.exit_code == 0, "\n".join(self.errors)
        assert self.statuses


class Terraform:
    """The program on one folder.

    Args:
        program: Its path.
        folder: A copy of the configuration.
    """

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self.folder = folder

    @contextmanager
    def started_provider(self, env: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
        """A provider that serves all commands until the end of the block.

        Without it Terraform starts one for each step of each run and reads all of its 700 MB to
        compare it with the lock file: half of what its tests take.

        Args:
            env: What the provider itself reads, as the address of a double of AWS.

        Yields:
            The variables of the environment by which a command finds it.
        """
        [program] = self.folder.glob(
            f".terraform/providers/{_PROVIDER}/*/*/terraform-provider-aws*"
        )
        with subprocess.Popen(
            [program, "-debug"],
            # By itself it writes 30 MB of what it is asked.
            env={**_environment(), **(env or {}), "TF_LOG_SDK": "off", "TF_LOG_PROVIDER": "off"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            try:
                assert process.stdout is not None
                found = (re.search(r"(TF_REATTACH_PROVIDERS)='(.+)'", it) for it in process.stdout)
                line = next(filter(None, found), None)
                assert line, "the provider says no address"
                yield {line[1]: line[2]}
            finally:
                process.kill()

    def run(
        self, *arguments: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run one command, whatever it comes to."""
        return subprocess.run(
            [self._program, *arguments],
            cwd=self.folder,
            env={**_environment(), **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )

    def test(self, *arguments: str, env: Mapping[str, str] | None = None) -> TestRuns:
        """Run `terraform test`; states and plans are there if `-verbose` is among the arguments."""
        done = self.run("test", "-json", "-no-color", *arguments, env=env)
        runs = TestRuns(done.returncode)
        for line in done.stdout.splitlines():
            _note(runs, json.loads(line))
        if done.stderr:
            runs.errors.append(done.stderr)
        return runs


def initialized(folder: Path) -> Terraform:
    """Terraform on a copy of the configuration, with its provider.

    Args:
        folder: Where to make the copy; must not exist.
    """
    program = shutil.which("terraform")
    if program is None:
        not_here("terraform is not installed")
    junk = shutil.ignore_patterns(".terraform*", "*.tfstate*", "*.tfvars", "backend.tf")
    shutil.copytree(SOURCE, folder, ignore=junk)
    terraform = Terraform(program, folder)
    plugins = _plugin_folder()
    source = [f"-plugin-dir={plugins}"] if plugins else []
    done = terraform.run("init", "-backend=false", "-input=false", "-no-color", *source)
    if done.returncode:
        not_here(f"the provider hashicorp/aws cannot be had: {done.stderr.strip()[:500]}")
    return terraform


def _plugin_folder() -> str | None:
    given = os.environ.get("TF_PLUGIN_DIR")
    folders = [given] if given else []
    for name in _PLUGIN_FOLDERS:
        folders += sorted(glob(str(Path(name).expanduser())))  # noqa: PTH207 - a pattern
    return next((found for found in folders if any(Path(found).glob(_PROVIDER))), None)


def _environment() -> dict[str, str]:
    """Without anybody's account, and without a settings file that is not there."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "TF_"))}
    config = os.environ.get("TF_CLI_CONFIG_FILE")
    if config and Path(config).is_file():
        env["TF_CLI_CONFIG_FILE"] = config
    return env | {"AWS_EC2_METADATA_DISABLED": "true", "CHECKPOINT_DISABLE": "true"}


def _note(runs: TestRuns, said: dict[str, Any]) -> None:
    name = f"{said.get('@testfile', '')}:{said.get('@testrun', '')}"
    kind = said["type"]
    if kind == "test_run" and said["test_run"].get("progress", "complete") == "complete":
        runs.statuses[name] = said["test_run"]["status"]
    elif kind == "diagnostic" and said["diagnostic"]["severity"] == "error":
        found = said["diagnostic"]
        runs.errors.append(f"{name}: {found['summary']}: {found.get('detail', '')}")
    elif kind == "test_state":
        runs.states[name] = said["test_state"]
    elif kind == "test_plan":
        runs.plans[name] = said["test_plan"]
