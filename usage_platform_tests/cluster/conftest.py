"""An EMR Serverless of one machine: moto's API, a lake on its S3, jobs by a real spark-submit."""

import io
import os
import re
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

import boto3
import dagster as dg
import pytest

from usage_platform.adapters.aws.emr_jobs import EmrApplication
from usage_platform.defs.resources import PlatformResource
from usage_platform.local.jars import ensure_sets
from usage_platform.wiring.platform import Platform
from usage_platform_tests.aws_double import aws_server, new_bucket
from usage_platform_tests.cluster.emr_worker import STDOUT
from usage_platform_tests.conftest import DATA_DIR
from usage_platform_tests.repository import ROOT
from usage_platform_tests.terraform.terraform_command import not_here
from usage_platform_tests.topics import until

SPARK_HOME = ROOT / ".venv-emr" / "pyspark"
GROUP = "/usage-platform/emr"
ROLE = "arn:aws:iam::123456789012:role/usage-platform-emr-job"
# What is found by an import although no distribution of the lock has it: EMR's own, and ours.
_THERE = {"pyspark", "py4j", "usage_platform"}
_ONLY_LOCKED = """
import sys
from importlib.machinery import PathFinder

NOT_LOCKED = {names}


class OnlyLocked(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name in NOT_LOCKED else super().find_spec(name, path, target)


sys.meta_path[sys.meta_path.index(PathFinder)] = OnlyLocked
"""


@dataclass(frozen=True)
class Emr:
    """The double, as tests meet it.

    Attributes:
        settings: The platform's settings, by the names of their variables.
        folder: What jobs leave behind, in a folder each.
    """

    settings: dict[str, str]
    folder: Path

    @property
    def application(self) -> EmrApplication:
        """Where the jobs run."""
        return EmrApplication(self.settings["USAGE_EMR_APPLICATION_ID"], ROLE, "s3://code", GROUP)

    @property
    def deployment(self) -> Platform:
        """The platform's services, as the environment names them."""
        return PlatformResource().deployment

    def materialize(self, asset, config=None, compute="emr_serverless", **options):
        """Materialize an asset, there or here; a failure is in the result."""
        ops = {asset.op.name: {"config": {"compute": compute, **(config or {})}}}
        with dg.DagsterInstance.ephemeral() as instance:
            return dg.materialize(
                [asset],
                instance=instance,
                resources={"platform": PlatformResource()},
                run_config={"ops": ops},
                raise_on_error=False,
                **options,
            )

    def newest_job(self) -> Path:
        """The folder of the job that was started last."""
        return max(self.folder.iterdir(), key=lambda path: path.stat().st_ctime)

    def wait_for_job(self, number: int, word: str) -> Path:
        """Wait until the job of that number, from 1 on, has told a word."""

        def has_told() -> bool:
            if len(list(self.folder.iterdir())) < number:
                return False
            told = self.newest_job() / STDOUT
            return told.exists() and word in told.read_text()

        until(has_told)
        return self.newest_job()


def _archive() -> bytes:
    """An archive in place of the one for EMR: this Python, with what is locked for EMR only."""
    lock = (ROOT / "requirements-emr.txt").read_text("utf-8")
    locked = {name.lower() for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    others = {
        module
        for module, names in packages_distributions().items()
        if not {name.lower().replace("_", "-") for name in names} & locked
    }
    names = sorted(others - _THERE - set(sys.stdlib_module_names))
    files = {
        "bin/python": f'#!/bin/sh\nhere=$(dirname "$0")/..\n'
        f'PYTHONPATH="$(cd "$here" && pwd):$PYTHONPATH" exec {sys.executable} "$@"\n',
        "sitecustomize.py": _ONLY_LOCKED.format(names=names),
    }
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(text.encode()), 0o755
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


@pytest.fixture(scope="module")
def emr(java, unused_port: Callable[[], int], tmp_path_factory) -> Iterator[Emr]:
    """The double with an application, the jobs' code and an empty lake."""
    if not SPARK_HOME.is_dir():
        not_here("Spark 4.0 is not installed: make test-aws does it")
    jars = DATA_DIR / "jars"
    ensure_sets(jars, ("aws", "emr", "emr_tests"), java, os.environ, print, lambda text: None)
    folder = tmp_path_factory.mktemp("emr")
    jobs = folder / "jobs"
    jobs.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAVA_HOME", str(java.home))
        module = "usage_platform_tests.cluster.emr_worker"
        arguments = [str(SPARK_HOME), str(jars), str(jobs)]
        with (
            aws_server(unused_port(), folder / "log", module, arguments) as endpoint,
            new_bucket(endpoint) as bucket,
        ):
            settings = {
                "USAGE_DATA": str(folder / "data"),
                "USAGE_LAKE": f"s3://{bucket}/lake",
                "USAGE_METER": "library",
                "USAGE_EMR_APPLICATION_ID": _application(),
                "USAGE_EMR_ROLE_ARN": ROLE,
                "USAGE_EMR_LOG_GROUP": GROUP,
                "USAGE_JARS": str(jars),
            }
            for name, value in settings.items():
                patch.setenv(name, value)
            (folder / "archive").write_bytes(_archive())
            script = [sys.executable, str(ROOT / "deploy" / "emr_package.py")]
            code = [f"s3://{bucket}/lake/assets/emr", "--environment", str(folder / "archive")]
            subprocess.run([*script, *code], check=True, stdout=subprocess.DEVNULL)
            yield Emr(settings, jobs)


def _application() -> str:
    boto3.client("logs").create_log_group(logGroupName=GROUP)
    client = boto3.client("emr-serverless")
    made = client.create_application(name="usage", releaseLabel="emr-7.13.0", type="SPARK")
    return made["applicationId"]
