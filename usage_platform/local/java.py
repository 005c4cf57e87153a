"""The Java that the broker and Spark run on: found on this machine, or fetched.

Belongs here: where a Java is looked for, which one fits, what is said where there is none. Not
here: downloading one (`java_download`), what is run with it.
"""

import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from usage_platform.local.errors import LocalError
from usage_platform.local.java_download import download_java

MIN_VERSION = 17
# The newest release that the broker and Spark with Delta Lake have been seen to run on.
MAX_VERSION = 25
FETCHED_VERSION = 17

# Spark's launcher asks for this module, and some trimmed-down Javas come without it.
_NEEDED_MODULE = "jdk.incubator.vector"
_PROPERTY = re.compile(r"^\s*(java\.home|java\.specification\.version) = (.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class JavaHome:
    """An installed Java.

    Attributes:
        home: Its JAVA_HOME.
        major: Its feature release, such as 17.
    """

    home: Path
    major: int

    @property
    def java(self) -> Path:
        """The `java` command."""
        return self.home / "bin" / "java"


def parse_settings(text: str) -> JavaHome | None:
    """Read the home and the release out of what `java -XshowSettings:properties -version` says.

    Args:
        text: Both of its output streams, joined.

    Returns:
        The Java, or None where the text is not that of a Java.
    """
    found = dict(_PROPERTY.findall(text))
    version = found.get("java.specification.version", "").removeprefix("1.")
    if "java.home" not in found or not version.isdigit():
        return None
    return JavaHome(Path(found["java.home"]), int(version))


def find_java(
    env: Mapping[str, str],
    data_dir: Path,
    min_version: int = MIN_VERSION,
    max_version: int = MAX_VERSION,
) -> JavaHome | None:
    """The first Java that fits: JAVA_HOME, PATH, the one fetched before, those beside PATH's.

    Args:
        env: The environment (JAVA_HOME, PATH and HOME are read).
        data_dir: The platform's data folder; a fetched Java lies under its `jdk`.
        min_version: Oldest feature release that fits.
        max_version: Newest feature release that fits.

    Returns:
        The Java, or None where none fits.
    """
    for command in _candidates(env, data_dir):
        found = _probe(command, f"--add-modules={_NEEDED_MODULE}")
        if found is not None and min_version <= found.major <= max_version:
            return found
    return None


def ensure_java(data_dir: Path, env: Mapping[str, str], say: Callable[[str], None]) -> JavaHome:
    """A Java that fits, fetched into `<data_dir>/jdk` where this machine has none.

    Args:
        data_dir: The platform's data folder.
        env: The environment (JAVA_HOME, PATH and HOME are read).
        say: Called when a JAVA_HOME is passed over and when a Java is fetched.

    Returns:
        The Java to use.

    Raises:
        LocalError: When none fits and none could be fetched.
    """
    found = find_java(env, data_dir)
    _say_if_passed_over(env, found, say)
    if found is not None:
        return found
    say(f"no Java {MIN_VERSION} to {MAX_VERSION} found: fetching {FETCHED_VERSION}, about 190 MB")
    try:
        download_java(FETCHED_VERSION, data_dir / "jdk")
        found = find_java(env, data_dir)
        if found is None:
            raise ValueError("the fetched Java does not run on this machine")
    except (OSError, ValueError, tarfile.TarError) as error:
        raise LocalError(
            f"no Java {MIN_VERSION} to {MAX_VERSION}, and fetching one failed "
            f"({_one_line(error)}): install one (e.g. apt install openjdk-17-jre-headless) "
            "or set JAVA_HOME"
        ) from error
    say(f"Java {found.major} is in {found.home}")
    return found


def _say_if_passed_over(
    env: Mapping[str, str], found: JavaHome | None, say: Callable[[str], None]
) -> None:
    home = env.get("JAVA_HOME")
    if not home or (found and found.home.resolve() == Path(home).resolve()):
        return
    named = _probe(Path(home, "bin", "java"))
    if named is None:
        say(f"JAVA_HOME={home} has no working Java: looking for another one")
    elif not MIN_VERSION <= named.major <= MAX_VERSION:
        say(f"JAVA_HOME={home} is Java {named.major}: looking for {MIN_VERSION} to {MAX_VERSION}")


def _candidates(env: Mapping[str, str], data_dir: Path) -> Iterator[Path]:
    """The `java` commands worth trying, best first."""
    if env.get("JAVA_HOME"):
        yield Path(env["JAVA_HOME"], "bin", "java")
    on_path = shutil.which("java", path=env.get("PATH", ""))
    if on_path:
        yield Path(on_path)
    roots = [data_dir / "jdk"]
    if on_path:
        # <root>/<JDK>/bin/java: where a system keeps one JDK it keeps the others.
        roots.append(Path(on_path).resolve().parent.parent.parent)
    if env.get("HOME"):
        roots += [Path(env["HOME"], ".sdkman/candidates/java"), Path(env["HOME"], ".jdk")]
    for root in roots:
        for shape in ("*", "*/Contents/Home"):  # The second one is macOS's.
            yield from sorted(root.glob(f"{shape}/bin/java"))


def _probe(command: Path, *options: str) -> JavaHome | None:
    if not command.is_file():
        return None
    try:
        done = subprocess.run(  # noqa: S603 - a Java of this machine, no shell
            [str(command), *options, "-XshowSettings:properties", "-version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=30,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_settings(done.stdout + done.stderr) if done.returncode == 0 else None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
