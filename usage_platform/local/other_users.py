"""What other users of this machine can do with a running platform, and who may not start one.

Belongs here: refusing root, and the line at the start. Not here: files (`private_folder`).
"""

import os

from usage_platform.local.errors import LocalError
from usage_platform.settings.settings import Settings


def check_user(settings: Settings) -> str:
    """Refuse to start services as root.

    Spark Connect, the broker and the code server run what any user of the machine sends them.

    Returns:
        A line on what other users can do; empty where nothing is started for them.

    Raises:
        LocalError: In one line, for root without `USAGE_ALLOW_ROOT`.
    """
    if os.geteuid() == 0 and not settings.allow_root:
        raise LocalError(
            "started as root, whose rights every user of this machine would get through Spark "
            "and Dagster's code server: start it as another user, or set USAGE_ALLOW_ROOT=true "
            "where nobody else can log in"
        )
    started = [] if settings.spark_remote else ["Spark"]
    started += [] if settings.kafka_bootstrap else ["the broker"]
    services = ", ".join([*started, "Dagster"])
    return (
        f"other users of this machine can reach {services} on 127.0.0.1 without a password, and "
        "run code as this user: start it on a machine of your own (docs/security.md)"
    )
