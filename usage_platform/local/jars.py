"""The jars of the broker and of Spark: pinned by checksum, fetched once, verified on each start.

Belongs here: what is missing in a folder, and fetching it with the Ivy that pyspark ships. Not
here: the lock file (jar_lock), a service's class path, or which folder to use (the caller's).
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from xml.sax.saxutils import quoteattr

from usage_platform.local.errors import LocalError
from usage_platform.local.jar_lock import (
    AWS_SETS,
    LOCAL_SETS,
    LOCK_FILE,
    SETS,
    LockedJar,
    parse_lock,
)
from usage_platform.local.java import JavaHome

# Ivy keeps its own copy of each jar until the verified one is in place.
_DISK_NEEDED_BYTES = 250_000_000
_CONNECT_TIMEOUT_MS = 20_000
_READ_TIMEOUT_MS = 60_000
_PATTERN = "[organisation]__[artifact]-[revision].[ext]"
_TROUBLE = re.compile(
    r"Host \S+ not found|UnknownHost|timed out|No route|Server access error|unreachable",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class JarFolders:
    """Where the verified jars lie; each folder holds that set's jars and no others.

    Attributes:
        kafka: The broker's.
        spark: Those that Spark needs beside pyspark's own.
    """

    kafka: Path
    spark: tuple[Path, ...]


def pyspark_home() -> Path:
    """The folder of the installed pyspark, without importing it.

    Raises:
        LocalError: When pyspark is not installed.
    """
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        raise LocalError("pyspark is not installed: run make setup")
    return Path(spec.origin).parent


def bad_jars(folder: Path, jars: Iterable[LockedJar]) -> list[LockedJar]:
    """The jars that are missing in `folder` or differ from their checksum."""
    return [jar for jar in jars if not _is_good(folder / jar.set_name / jar.file_name, jar)]


def ensure_jars(
    folder: Path,
    java: JavaHome,
    env: Mapping[str, str],
    say: Callable[[str], None],
    progress: Callable[[str], None],
    for_aws: bool = False,
) -> JarFolders:
    """Make `folder` hold what the services here need; downloads only what is missing or damaged.

    Args:
        folder: Where the jars are kept; made where it is missing.
        java: Runs Ivy.
        env: The environment Ivy runs in.
        say: Called when something is fetched.
        progress: Called with how far the download is, such as "jars fetched 12/57".
        for_aws: Whether Spark is to reach a lake on S3, or brokers that ask for an AWS identity.

    Returns:
        The folders.

    Raises:
        LocalError: When there is no network, no space, or a jar is not what was locked.
    """
    wanted = AWS_SETS if for_aws else LOCAL_SETS
    ensure_sets(folder, wanted, java, env, say, progress)
    folder = folder.absolute()
    return JarFolders(folder / "kafka", tuple(folder / name for name in wanted if name != "kafka"))


def ensure_sets(
    folder: Path,
    wanted: Sequence[str],
    java: JavaHome,
    env: Mapping[str, str],
    say: Callable[[str], None],
    progress: Callable[[str], None],
) -> None:
    """Make `folder` hold exactly the locked jars of some sets, each in the set's folder.

    Args:
        folder: Where the jars are kept; made where it is missing.
        wanted: Names of sets.
        java: Runs Ivy.
        env: The environment Ivy runs in.
        say: Called when something is fetched.
        progress: Called with how far the download is.

    Raises:
        LocalError: When there is no network, no space, or a jar is not what was locked.
    """
    folder = folder.absolute()
    locked = parse_lock(LOCK_FILE.read_text("utf-8"))
    jars = [jar for jar in locked if jar.set_name in wanted]
    try:
        _drop_strangers(folder, locked)
        missing = bad_jars(folder, jars)
        if missing:
            say(f"fetching {len(missing)} of {len(jars)} jars into {folder}")
            _check_space(folder)
            _fetch(folder, missing, java, env, progress)
            say(f"{len(jars)} jars are in place and verified")
    except OSError as error:
        raise LocalError(
            f"the jars cannot be stored in {folder} ({error.strerror or error}): "
            "make room there or choose another data folder"
        ) from error


def _is_good(path: Path, jar: LockedJar) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


def _drop_strangers(folder: Path, jars: Sequence[LockedJar]) -> None:
    # A class path takes every jar of its folder: one of an older lock would be loaded too.
    wanted = {(jar.set_name, jar.file_name) for jar in jars}
    for name in SETS:
        (folder / name).mkdir(parents=True, exist_ok=True)
        for path in (folder / name).glob("*.jar"):
            if (name, path.name) not in wanted:
                path.unlink()


def _check_space(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < _DISK_NEEDED_BYTES:
        raise LocalError(
            f"the jars need {_DISK_NEEDED_BYTES // 1_000_000} MB in {folder}, "
            f"{free // 1_000_000} MB are free: make room or choose another data folder"
        )


def _fetch(
    folder: Path,
    jars: Sequence[LockedJar],
    java: JavaHome,
    env: Mapping[str, str],
    progress: Callable[[str], None],
) -> None:
    # Beside their place, so that each verified jar is moved there in one step. Ivy's cache is in
    # here too: one it had would hand a damaged download out again.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as name:
        part = Path(name)
        (part / "ivy.xml").write_text(ivy_module(jars), "utf-8")
        files = {jar.file_name for jar in jars}
        output = _run_ivy(part, len(files), java, env, progress)
        for jar in jars:
            got = part / jar.file_name
            if not got.exists():
                raise LocalError(_why_not_fetched(jar, output))
            if not _is_good(got, jar):
                raise LocalError(
                    f"{jar.group}:{jar.artifact}:{jar.version} came with another checksum than "
                    "locked: try again, and if it stays so do not trust this network's downloads"
                )
        for at, jar in enumerate(jars):
            got = part / jar.file_name
            # Two sets may need the same.
            if any(later.file_name == jar.file_name for later in jars[at + 1 :]):
                got = shutil.copyfile(got, part / "copy")
            got.replace(folder / jar.set_name / jar.file_name)


def ivy_module(jars: Iterable[LockedJar]) -> str:
    """The ivy.xml that asks for these jars and for nothing they depend on."""
    wanted = sorted({(jar.group, jar.artifact, jar.version) for jar in jars})
    lines = "\n".join(
        f"<dependency org={quoteattr(group)} name={quoteattr(artifact)} rev={quoteattr(version)} "
        'transitive="false" conf="default->master"/>'
        for group, artifact, version in wanted
    )
    # Without the last rule Ivy would keep only the newer of two versions that the sets need.
    return (
        '<ivy-module version="2.0"><info organisation="usage-platform" module="jars"/>\n'
        '<configurations><conf name="default"/></configurations>\n'
        f'<dependencies>\n{lines}\n<conflict org="*" manager="all"/>\n</dependencies></ivy-module>'
    )


def _run_ivy(
    part: Path,
    total: int,
    java: JavaHome,
    env: Mapping[str, str],
    progress: Callable[[str], None],
) -> str:
    """Run Ivy in `part` and return what it said; a failure shows in which jars are there."""
    # Ivy alone, without pyspark's other jars: it then uses Java's own HTTP client, which minds
    # these limits; without them a network that swallows packets would hold it for ever.
    (ivy,) = (pyspark_home() / "jars").glob("ivy-*.jar")
    argv = [str(java.java), f"-Dsun.net.client.defaultConnectTimeout={_CONNECT_TIMEOUT_MS}"]
    argv += [f"-Dsun.net.client.defaultReadTimeout={_READ_TIMEOUT_MS}", "-jar", str(ivy)]
    argv += ["-ivy", str(part / "ivy.xml"), "-confs", "default", "-m2compatible"]
    argv += ["-retrieve", str(part / _PATTERN), "-cache", str(part / "cache")]
    said: list[str] = []
    found = fetched = 0
    with subprocess.Popen(  # noqa: S603 - a Java of this machine, no shell
        argv,
        env=dict(env),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None  # noqa: S101 - Popen's promise for PIPE
        try:
            for line in process.stdout:
                said.append(line)
                if line.startswith("\tfound "):
                    found += 1
                    progress(f"jars found {found}/{total}")
                elif "[SUCCESSFUL ]" in line:
                    fetched += 1
                    progress(f"jars fetched {fetched}/{total}")
        except BaseException:
            process.kill()
            raise
    return "".join(said)


def _why_not_fetched(jar: LockedJar, output: str) -> str:
    name = f"{jar.group}:{jar.artifact}:{jar.version}"
    if "No space left" in output:
        return f"no space left while fetching {name}: make room or choose another data folder"
    trouble = next((line.strip() for line in output.splitlines() if _TROUBLE.search(line)), None)
    if trouble:
        return (
            f"the jars could not be fetched ({trouble[:160]}): they come from Maven Central once; "
            "check the network or proxy (JAVA_TOOL_OPTIONS=-Dhttps.proxyHost=...) and try again"
        )
    return f"Maven Central did not give {name}: check the network or proxy and try again"
