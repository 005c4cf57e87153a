"""SeaweedFS, a real S3 that asks who its clients are, for the tests of one that refuses or is away.

Belongs here: the server, and how it goes away and comes back. Not here: lakes on S3 that nothing
happens to (`aws_double`, which takes any credentials).
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import BotoCoreError, ClientError

from usage_platform.adapters.lake.files import open_remote
from usage_platform.local.ports import port_answers
from usage_platform_tests.topics import until

BUCKET = "lake"


class S3Server:
    """One server with one bucket; what it holds stays when it stops.

    Args:
        folder: Where it keeps everything.
        ask_port: Gives free ports.
    """

    def __init__(self, folder: Path, ask_port: Callable[[], int]) -> None:
        self._folder = folder
        names = ("s3", "master", "filer", "volume", "admin")
        # Those of gRPC would be ten thousand higher, which is more than there are.
        self._ports = {f"{name}.port{kind}": ask_port() for name in names for kind in ("", ".grpc")}
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = f"http://127.0.0.1:{self._ports['s3.port']}"

    @property
    def environment(self) -> Mapping[str, str]:
        """What AWS's own clients read, and Delta's."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "usage-platform",
            "AWS_SECRET_ACCESS_KEY": "only-the-server-knows",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ALLOW_HTTP": "true",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Run it until it takes objects and gives back all that it holds; again if it runs."""
        self.stop()
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    Path(sys.executable).with_name("weed"),
                    "mini",
                    f"-dir={self._folder}",
                    "-ip=127.0.0.1",
                    "-ip.bind=127.0.0.1",
                    f"-bucket={BUCKET}",
                    *(f"-{name}={port}" for name, port in self._ports.items()),
                    # It tells its makers of itself by default.
                    "-master.telemetry=false",
                    f"-filer.localSocket={self._folder}/filer.sock",
                    f"-s3.localSocket={self._folder}/s3.sock",
                    "-s3.autoCreateBucket=false",
                    "-webdav=false",
                    "-admin.ui=false",
                    "-s3.port.iceberg=0",
                    "-s3.port.lance=0",
                ],
                env={**os.environ, **self.environment},
                stdout=log,
                stderr=log,
            )
        process = self._process
        until(lambda: self._is_ready() or process.poll() is not None)
        assert process.poll() is None, (self._folder / "log").read_text("utf-8")[-500:]

    def _is_ready(self) -> bool:
        if not port_answers(self._ports["s3.port"]):
            return False
        client = boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
        )
        try:
            client.put_object(Bucket=BUCKET, Key="ready")
            # Where it keeps them comes back part by part.
            for found in client.list_objects_v2(Bucket=BUCKET)["Contents"]:
                client.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read()
        except (BotoCoreError, ClientError):
            return False
        return True

    def stop(self) -> None:
        """Nothing listens afterwards, whatever was so before."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def stalled(self) -> Iterator[None]:
        """It takes connections and answers none."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        os.waitpid(self._process.pid, os.WUNTRACED)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)


@contextmanager
def running_s3(folder: Path, ask_port: Callable[[], int]) -> Iterator[S3Server]:
    """Run one that all clients of this process and its children use."""
    server = S3Server(folder, ask_port)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        as_in_a_new_process(patch)
        try:
            server.start()
            yield server
        finally:
            server.stop()
            open_remote.cache_clear()


def as_in_a_new_process(patch: pytest.MonkeyPatch) -> None:
    """Forget credentials that were read, and buckets that were found."""
    patch.setattr(boto3, "DEFAULT_SESSION", None)
    open_remote.cache_clear()
