"""The text of a file of the lake that people write.

Belongs here: reading it, within a limit. Not here: YAML (`plain_yaml`), which jobs on EMR lack.
"""

from collections.abc import Callable

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles

MOST_BYTES = 4 * 2**20
"""The longest file that is read: a line for each of 50,000 meters."""


def written_text(assets: LakeFiles, name: str) -> str | None:
    """The text of a file; None where there is none.

    Args:
        assets: The lake's `assets/`.
        name: The file's name.

    Raises:
        LakeError: In one line, when it is too long, is no UTF-8, or cannot be read.
    """
    return checked_text(lambda: assets.read_text(name), f"{assets.root}/{name}")


def checked_text(read: Callable[[], str | None], place: str) -> str | None:
    """What is read, if people can have written it.

    Args:
        read: Gives the text; None where there is none.
        place: Where it is from, for errors.

    Raises:
        LakeError: As for `written_text`.
    """
    try:
        text = read()
    except UnicodeDecodeError as error:
        raise LakeError(f"{place}: expected text in UTF-8 ({error.reason})") from None
    if text is not None and len(text) > MOST_BYTES:
        raise LakeError(f"{place}: expected at most {MOST_BYTES >> 20} MiB")
    return text
