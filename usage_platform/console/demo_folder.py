"""The demo's data folder: one source at a time, unless asked otherwise.

A demo of the same source goes on where the last one ended; a demo of another source starts afresh,
as the tables would hold both. What it finds odd alerts nobody: it is of the past, or made up.
"""

import shutil
from collections.abc import Callable

from usage_platform.console.screen import shown_path
from usage_platform.local.stack_file import StackFile
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform


def without_alerts(settings: Settings) -> Settings:
    """The settings with no place that alerts go to."""
    fields = Settings.model_fields.items()
    none = {name: field.default for name, field in fields if name.startswith("alert_")}
    return settings.model_copy(update=none)


def ready_folder(settings: Settings, keep: bool, say: Callable[[str], None]) -> None:
    """Clear the folder when it holds another source's data.

    Args:
        settings: Name the folder and the source.
        keep: Leave other sources' data where it is.
        say: Told what is done.

    Raises:
        LocalError: When another process runs a stack on the folder.
    """
    plan = Platform(settings).playback_plan()
    summary = plan.cache.summary()
    if summary is None or plan.is_loaded:
        return
    folder, other = shown_path(settings.data_dir), summary.source.split()[0]
    # Offsets on other servers and a lake elsewhere would outlive the folder and no longer fit it.
    if keep or settings.lake or settings.kafka_bootstrap:
        say(f"{folder}: keeps the data of {other}")
        if settings.meter in summary.last:
            say(f"{settings.meter} is the meter of both: their readings mix")
            say("give another --meter unless both are readings of the one meter")
        return
    with StackFile(settings.data_dir):
        say(f"{folder}: clearing the demo of {other}")
        shutil.rmtree(settings.data_dir)
