"""Moto's server, a double of AWS on this machine: for lakes on S3, and for Terraform.

Belongs here: the server, its buckets, and the environment that makes clients use it. Not here: what
should be on it (the tests).
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import boto3
import pytest

from usage_platform.local.ports import port_answers
from usage_platform_tests.topics import until

_SERVER = "usage_platform_tests.aws_in_one_step"


@contextmanager
def aws_server(
    port: int, log: Path, module: str = _SERVER, arguments: Sequence[str] = ()
) -> Iterator[str]:
    """Run it, and give its address.

    In a process of its own: some of Delta's calls let no other thread run until they are answered.

    Args:
        port: Where it listens.
        log: File of what it says.
        module: What is run: moto's server, or one that does more than it.
        arguments: What the module is told before the server's own arguments.
    """
    with log.open("wb") as out:
        server = subprocess.Popen(
            (sys.executable, "-m", module, *arguments, "-H", "127.0.0.1", "-p", str(port)),
            env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"},
            stdout=out,
            stderr=out,
        )
    try:
        until(lambda: port_answers(port) or server.poll() is not None)
        assert server.poll() is None, log.read_text("utf-8")[-500:]
        # By number: with a name clients would put the bucket's before it.
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


@contextmanager
def new_bucket(endpoint: str) -> Iterator[str]:
    """Make a bucket, and have all clients of this process and its children use the server."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment(endpoint).items():
            patch.setenv(name, value)
        bucket = f"lake-{uuid4().hex}"
        boto3.client("s3").create_bucket(Bucket=bucket)
        yield bucket


def environment(endpoint: str) -> dict[str, str]:
    """What AWS's own clients read, and Delta's."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ALLOW_HTTP": "true",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
