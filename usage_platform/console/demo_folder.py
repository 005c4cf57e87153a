"""The demo's data folder holds one source at a time, unless `--keep` is given.

A demo of the same source resumes where the last one ended; a demo of another source clears the
folder first, because the tables would mix both, but for the files that people write; those that a
demo has written and nobody has changed are cleared too.
"""

import shutil
from collections.abc import Callable, Set
from pathlib import Path

from usage_platform.adapters.stores.alert_routes import ALERTS_FILE
from usage_platform.adapters.stores.groups import GROUPS_FILE
from usage_platform.adapters.stores.meters import METERS_FILE
from usage_platform.adapters.stores.tariffs import TARIFFS
from usage_platform.console.screen import shown_path
from usage_platform.console.site_files import site_files
from usage_platform.local.stack_file import StackFile
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform

_WRITTEN_BY_PEOPLE = (METERS_FILE, GROUPS_FILE, TARIFFS, ALERTS_FILE)


def ready_folder(settings: Settings, keep: bool, say: Callable[[str], None]) -> None:
    """Clear the folder if it holds another source's data.

    Args:
        settings: Name the folder and the source.
        keep: Do not clear the data of other sources.
        say: Prints a line.

    Raises:
        LocalError: When another process runs a platform on the folder.
    """
    plan = Platform(settings).playback_plan()
    summary = plan.cache.summary()
    # Files that grew are the same source.
    if summary is None or f"{summary.source} ".startswith(f"{plan.identity.name} "):
        return
    folder, other = shown_path(settings.data_dir), summary.source.split()[0]
    # An external lake or broker would outlive the folder and no longer match its checkpoints.
    if keep or settings.lake or settings.kafka_bootstrap:
        say(f"{folder}: keeping the data of {other}")
        if settings.meter in summary.last:
            say(f"both sources use the meter {settings.meter}: their readings will be mixed")
            say("pass another --meter unless both belong to the same meter")
        return
    with StackFile(settings.data_dir):
        say(f"{folder}: clearing the data of {other}")
        assets = Path(Platform(settings).lake.assets)
        written = {assets / name for name in _WRITTEN_BY_PEOPLE if not _is_of_a_demo(assets, name)}
        _clear(settings.data_dir, written)


def _is_of_a_demo(assets: Path, name: str) -> bool:
    """Whether a file is as a demo of the generated site has written it."""
    text = site_files().get(name)
    path = assets / name
    return text is not None and path.is_file() and path.read_bytes() == text.encode()


def _clear(folder: Path, kept: Set[Path]) -> None:
    """Delete all that is in a folder but some files."""
    for path in folder.iterdir():
        if path in kept:
            continue
        if any(path in one.parents and one.exists() for one in kept):
            _clear(path, kept)
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
