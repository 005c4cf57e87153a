"""A server that speaks S3 on this machine, for the tests of lakes there.

Belongs here: the server, its buckets, and the environment that makes clients use it. Not here: what
a lake on it should do (the tests).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer


@contextmanager
def s3_server() -> Iterator[str]:
    """Run it, and give its address."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()


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
