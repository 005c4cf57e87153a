"""Folders that only the platform's user can enter.

Belongs here: creating them, and refusing those of somebody else. Not here: what is kept in them.
"""

import os
import stat
from pathlib import Path

from usage_platform.local.errors import LocalError

_PRIVATE = 0o700


def private_folder(path: Path) -> Path:
    """Create a folder that only this user can enter, or close an existing one to others.

    Args:
        path: The folder; its parents are created where they are missing.

    Returns:
        The folder.

    Raises:
        LocalError: In one line, when it is a link, no folder, or belongs to another user, who could
            put links to this user's files into it; or when it is everyone's, such as /tmp.
    """
    try:
        path.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise LocalError(
                f"{path}: expected a folder of this user; remove it, or choose another place"
            )
        if found.st_mode & stat.S_ISVTX or path == path.parent:
            raise LocalError(
                f"{path}: a folder of all users of this machine, who would be locked out of it; "
                "choose another place, such as a folder in it"
            )
        if stat.S_IMODE(found.st_mode) != _PRIVATE:
            path.chmod(_PRIVATE)
    except OSError as error:
        raise LocalError(f"{path}: {error.strerror}; expected a folder of this user") from None
    return path
