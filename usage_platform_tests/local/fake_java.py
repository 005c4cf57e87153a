"""A Java that can do nothing but say what it is."""

from pathlib import Path


def fake_java(home: Path, version: str, has_vector: bool = True) -> Path:
    """Put it into a folder.

    Args:
        home: Its JAVA_HOME.
        version: What it says its release is.
        has_vector: Whether it has the module that Spark needs.

    Returns:
        Its JAVA_HOME.
    """
    command = home / "bin" / "java"
    command.parent.mkdir(parents=True)
    refuse = "" if has_vector else 'case "$1" in --add-modules*) exit 1;; esac\n'
    command.write_text(
        f"#!/bin/sh\n{refuse}"
        f'echo "    java.home = {home}" >&2\n'
        f'echo "    java.specification.version = {version}" >&2\n'
    )
    command.chmod(0o755)
    return home
