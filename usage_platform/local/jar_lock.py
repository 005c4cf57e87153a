"""Which jars the local services need: the lock file beside this module, read.

Belongs here: the form of the lock file. Not here: fetching or checking a jar (jars).
"""

import re
from dataclasses import dataclass
from pathlib import Path

LOCK_FILE = Path(__file__).with_name("jars.lock")
LOCAL_SETS = ("kafka", "spark")
AWS_SETS = (*LOCAL_SETS, "aws")
EMR_SET = "emr"
"""What a job on EMR is given; it comes from the code's folder, not from this machine."""
SETS = (*AWS_SETS, EMR_SET, "emr_tests")

_LOCK_LINE = re.compile(r"(\S+) ([^\s:]+):([^\s:]+):([^\s:]+) ([0-9a-f]{64})")


@dataclass(frozen=True)
class LockedJar:
    """One line of the lock file.

    Attributes:
        set_name: Which service needs it, one of `SETS`.
        group: Maven group.
        artifact: Maven artifact.
        version: Maven version.
        sha256: Checksum of the file, in hexadecimal.
    """

    set_name: str
    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """The name of its file in the set's folder."""
        return f"{self.group}__{self.artifact}-{self.version}.jar"


def parse_lock(text: str) -> list[LockedJar]:
    """Read the lock file.

    Args:
        text: Lines `set group:artifact:version sha256`; empty lines and those with # are skipped.

    Returns:
        The jars in the order of the file.

    Raises:
        ValueError: For a line of another form or an unknown set, with its number.
    """
    jars = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        match = _LOCK_LINE.fullmatch(line.strip())
        if match is None or match[1] not in SETS:
            raise ValueError(
                f"jars.lock line {number}: expected 'set group:artifact:version sha256' "
                f"with a set of {', '.join(SETS)}, got {line!r}"
            )
        jars.append(LockedJar(*match.groups()))
    return jars
