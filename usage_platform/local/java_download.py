"""A Java of Eclipse Temurin, downloaded and checked by the SHA-256 that its publisher gives.

Belongs here: which archive fits this machine, its checksum, unpacking it. Not here: which Java is
used (`java`).

The checksum comes from Adoptium's API, the archive from the server that it names: neither alone can
put another file in its place.
"""

import hashlib
import json
import platform
import shutil
import sys
import tarfile
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO
from urllib.request import urlopen

_API = "https://api.adoptium.net/v3/assets/latest/{release}/hotspot?{query}"
_SYSTEMS = {"linux": "linux", "darwin": "mac"}
_ARCHITECTURES = {"x86_64": "x64", "amd64": "x64", "aarch64": "aarch64", "arm64": "aarch64"}
# Of a network that swallows packets.
_TIMEOUT_S = 30.0


def download_java(release: int, folder: Path) -> Path:
    """Put the newest JDK of a feature release into a folder, whole or not at all.

    Args:
        release: The feature release, such as 17.
        folder: Where its own folder comes to; made where it is missing.

    Returns:
        Its folder.

    Raises:
        ValueError: When there is none for this machine, or the archive is not what was published.
        OSError: When it cannot be had, or not be stored.
        tarfile.TarError: When it cannot be unpacked.
    """
    address, checksum = _published(release)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".part-") as name:
        part = Path(name)
        archive = part / "archive"
        with _opened(address) as source, archive.open("wb") as target:
            shutil.copyfileobj(source, target)
        with archive.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != checksum:
            raise ValueError(
                f"{address.rpartition('/')[2]} came with another checksum than published"
            )
        unpacked = part / "unpacked"
        with tarfile.open(archive) as packed:
            # Python has the filter from 3.11.4 on; the archive is the publisher's in any case.
            packed.extraction_filter = getattr(tarfile, "data_filter", lambda entry, _: entry)
            packed.extractall(unpacked)  # noqa: S202 - filtered
        (java,) = unpacked.iterdir()
        target = folder / java.name
        shutil.rmtree(target, ignore_errors=True)
        return java.rename(target)


def _published(release: int) -> tuple[str, str]:
    """The address of this machine's archive, and its SHA-256."""
    system = _SYSTEMS.get(sys.platform)
    architecture = _ARCHITECTURES.get(platform.machine().lower())
    if system is None or architecture is None:
        raise ValueError(f"none is published for {sys.platform} on {platform.machine()}")
    query = f"architecture={architecture}&image_type=jdk&os={system}&vendor=eclipse"
    with _opened(_API.format(release=release, query=query)) as reply:
        found = json.load(reply)
    try:
        package = found[0]["binary"]["package"]
        return str(package["link"]), str(package["checksum"]).lower()
    except (LookupError, TypeError):
        raise ValueError(
            f"none of release {release} is published for {system} on {architecture}"
        ) from None


def _opened(address: str) -> AbstractContextManager[IO[bytes]]:
    if not address.startswith("https://"):
        raise ValueError(f"{address}: expected an address of https")
    return urlopen(address, timeout=_TIMEOUT_S)  # noqa: S310 - https alone
