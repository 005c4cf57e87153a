"""Archives of loaded classes (Java's class data sharing), from which a JVM starts with less work.

A cold Spark loads some 20,000 classes. To read them from jars and to verify them takes half of the
processor time until its first micro-batch; from an archive they are mapped.

Belongs here: where the archive of a class path is, and the options of Java that read and write it.
Not here: what is run to record one (archive_recording).
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from usage_platform.local.java import JavaHome


def class_archive(java: JavaHome, folders: Sequence[Path]) -> Path:
    """The archive of a class path, which may not have been recorded yet.

    Its name changes with the Java and with every jar, as Java refuses an archive of other ones.

    Args:
        java: The Java that runs the service.
        folders: The folders of jars in the order of the class path; the archive lies beside the
            first one.

    Returns:
        The file, in the folder `archives`.
    """
    digest = hashlib.sha256(f"{java.java} {_stamp(java.java)}\n".encode())
    for folder in folders:
        for jar in sorted(folder.absolute().glob("*.jar")):
            digest.update(f"{jar} {_stamp(jar)}\n".encode())
    first = folders[0].absolute()
    return first.parent / "archives" / f"{first.name}-{digest.hexdigest()[:16]}.jsa"


def _stamp(file: Path) -> str:
    try:
        found = file.stat()
    except FileNotFoundError:
        return "missing"
    return f"{found.st_size} {found.st_mtime_ns}"


def reading(archive: Path) -> tuple[str, ...]:
    """The options of Java that use an archive; none where it has not been recorded.

    A Java that cannot use it, as one whose memory is laid out otherwise, starts without.
    """
    if not archive.is_file():
        return ()
    return ("-Xshare:auto", f"-XX:SharedArchiveFile={archive}", "-Xlog:cds=off")


def recording(archive: Path) -> tuple[str, ...]:
    """The options of Java that write an archive when the process ends."""
    return (f"-XX:ArchiveClassesAtExit={archive}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
