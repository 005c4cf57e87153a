"""The demo's data folder: one source at a time, unless asked otherwise.

A demo of the same source goes on where the last one ended; a demo of another source starts afresh,
as the tables would hold both.
"""

import shutil
from collections.abc import Callable

from usage_platform.deployment import Deployment
from usage_platform.settings import Settings


def ready_folder(settings: Settings, keep: bool, say: Callable[[str], None]) -> None:
    """Clear the folder when it holds another source's data.

    Args:
        settings: Name the folder and the source.
        keep: Leave other sources' data where it is.
        say: Told what is done.
    """
    summary = Deployment(settings).source_cache.summary()
    if summary is None or summary.source == settings.source_label:
        return
    if keep:
        say(f"{settings.data}: keeps the data of {summary.source.split()[0]}")
        return
    say(f"{settings.data}: clearing the demo of {summary.source.split()[0]}")
    shutil.rmtree(settings.data_dir)
