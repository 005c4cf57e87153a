"""Files of the repository's root that a running platform needs, in a clone and in a wheel.

Belongs here: where they are. Not here: what is read from them. A wheel carries its copies in the
folder `shipped` beside this module: see `force-include` in pyproject.toml.
"""

from pathlib import Path

from usage_platform.local.errors import LocalError

REPOSITORY_ROOT = Path(__file__).resolve().parents[2]
_SHIPPED = Path(__file__).with_name("shipped")


def shipped_file(name: str) -> Path:
    """Find a file that lies in the repository's root.

    Args:
        name: Its name, such as `dagster.yaml`.

    Raises:
        LocalError: When neither the installed package nor a clone has it.
    """
    in_wheel, in_clone = _SHIPPED / name, REPOSITORY_ROOT / name
    for file in (in_wheel, in_clone):
        if file.is_file():
            return file
    raise LocalError(
        f"{in_clone} is missing: run from a clone of the repository, installed by make setup, or "
        "install the package's wheel"
    )


def in_a_clone() -> bool:
    """Whether the package is used from its repository, not from an installed wheel."""
    return not _SHIPPED.is_dir()
