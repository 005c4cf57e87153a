"""What jobs on EMR Serverless run with, built and copied to the code's folder on S3.

    python deploy/emr_package.py s3://BUCKET/assets/emr [--architecture arm64] [--environment FILE]

The folder then holds the script, an archive with Python, the packages of requirements-emr.txt and
this platform, and the jars of the set `emr`, each checked by its sum. Run it again after each new
version: the platform and its jobs must be of the same one.

Belongs here: building and copying. Not here: how jobs are started (`adapters.aws.emr_jobs`).
"""

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError

from usage_platform.adapters.aws.emr_jobs import ENVIRONMENT, JARS, SCRIPT
from usage_platform.local.errors import LocalError
from usage_platform.local.jar_lock import EMR_SET
from usage_platform.local.jars import ensure_sets
from usage_platform.local.java import ensure_java
from usage_platform.settings.settings import Settings

_ROOT = Path(__file__).resolve().parents[1]
_PYTHON = "3.11"
# By the processors that EMR's applications can have.
_PLATFORMS = {"x86_64": "x86_64-manylinux_2_28", "arm64": "aarch64-manylinux_2_28"}


def main() -> int:
    """Build what is missing and copy all; the exit code says whether it is there."""
    given = _arguments()
    try:
        with tempfile.TemporaryDirectory() as folder:
            archive = given.environment or build_environment(Path(folder), given.architecture)
            upload(given.code, archive)
    except (LocalError, OSError, Boto3Error, BotoCoreError, ClientError) as error:
        print(f"emr_package: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"emr_package: {' '.join(error.cmd[:3])} failed: see above", file=sys.stderr)
        return 1
    print(f"jobs on EMR Serverless find their code in {given.code}")
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Build and copy what jobs on EMR run with.")
    parser.add_argument("code", type=_folder, help="s3://bucket/prefix; USAGE_EMR_CODE if not set")
    parser.add_argument("--architecture", choices=_PLATFORMS, default="x86_64")
    parser.add_argument("--environment", type=Path, help="an archive that is built already")
    return parser.parse_args()


def _folder(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme != "s3" or not parts.netloc or not parts.path.strip("/"):
        raise argparse.ArgumentTypeError(f"expected s3://bucket/prefix, got {text!r}")
    return text.rstrip("/")


def build_environment(folder: Path, architecture: str) -> Path:
    """An archive with a Python that runs wherever it is unpacked, the packages and the platform.

    Args:
        folder: Where it is built.
        architecture: The processor of the application's workers, one of `_PLATFORMS`.
    """
    uv = str(Path(sys.executable).with_name("uv"))
    machine = _PLATFORMS[architecture].partition("-")[0]
    build = f"cpython-{_PYTHON}-linux-{machine}-gnu"
    _run(uv, "python", "install", build, "--install-dir", str(folder / "pythons"), "--no-bin")
    [home] = (folder / "pythons").glob(f"cpython-{_PYTHON}.*")
    packages = home / "lib" / f"python{_PYTHON}" / "site-packages"
    _run(
        *(uv, "pip", "install", "--quiet", "--require-hashes", "--only-binary", ":all:"),
        *("--python-platform", _PLATFORMS[architecture], "--python-version", _PYTHON),
        *("--target", str(packages), "-r", str(_ROOT / "requirements-emr.txt")),
    )
    without = shutil.ignore_patterns("__pycache__", "static")
    shutil.copytree(_ROOT / "usage_platform", packages / "usage_platform", ignore=without)
    archive = folder / ENVIRONMENT
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(home, arcname=".")
    return archive


def upload(code: str, archive: Path) -> None:
    """Copy script, archive and jars to the code's folder.

    Raises:
        LocalError: When the jars cannot be had.
    """
    jars = Settings.from_env().jars_dir
    java = ensure_java(jars.parent, os.environ, print)
    ensure_sets(jars, (EMR_SET,), java, os.environ, print, lambda text: None)
    files = {
        SCRIPT: _ROOT / "deploy" / SCRIPT,
        ENVIRONMENT: archive,
        **{f"{JARS}/{path.name}": path for path in (jars / EMR_SET).glob("*.jar")},
    }
    parts = urlsplit(code)
    client = boto3.client("s3")
    for name, path in files.items():
        print(f"copying {name}")
        client.upload_file(str(path), parts.netloc, f"{parts.path.lstrip('/')}/{name}")


def _run(*command: str) -> None:
    subprocess.run(command, check=True)  # noqa: S603 - our own command, no shell


if __name__ == "__main__":
    sys.exit(main())
