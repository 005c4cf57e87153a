"""What other users of this machine can do with a running platform, and who may not start one.

Belongs here: refusing root, and the line at the start. Not here: files (`private_folder`).
"""

import os
import pwd
from pathlib import Path

from usage_platform.local.errors import LocalError
from usage_platform.settings.settings import Settings

_SHADOW = Path("/etc/shadow")
_LOCKED = ("!", "*")
_NO_SHELL = ("nologin", "false")


def check_user(settings: Settings) -> str:
    """Refuse to start services as root where somebody else can log in.

    Spark and the code server take no work from other users, but whatever finds a way around that
    would be root.

    Returns:
        A line on what other users can do.

    Raises:
        LocalError: In one line, for root without `USAGE_ALLOW_ROOT`.
    """
    if os.geteuid() == 0 and not settings.allow_root and others_can_log_in():
        raise LocalError(
            "started as root, as which Kafka, Spark and Dagster would run on a machine where "
            "others can log in: start it as another user, or set USAGE_ALLOW_ROOT=true"
        )
    return (
        "other users of this machine can reach the pages on 127.0.0.1 without a password: they can "
        "see readings and start runs (docs/security.md)"
    )


def others_can_log_in(shadow: Path = _SHADOW) -> bool:
    """Whether an account other than root has a shell, and a password or a key; asked as root.

    A container has none. Where the passwords are not in a file, as on macOS, it is assumed.

    Args:
        shadow: The file of passwords, as shadow(5) describes it.
    """
    try:
        lines = [line.split(":") for line in shadow.read_text("utf-8").splitlines()]
    except OSError:
        return True
    locked = {name for name, password, *_ in lines if password.startswith(_LOCKED)}
    return any(
        account.pw_name not in locked or Path(account.pw_dir, ".ssh", "authorized_keys").exists()
        for account in pwd.getpwall()
        if account.pw_uid and not account.pw_shell.endswith(_NO_SHELL)
    )
