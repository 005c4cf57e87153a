"""The text of a file of the lake that people write.

Belongs here: reading it, within a limit. Not here: YAML (`plain_yaml`), which jobs on EMR lack.
"""

from collections.abc import Callable

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.files import LakeFiles

MOST_BYTES = 4 * 2**20
"""The longest file that is read: a line for each of 50,000 meters."""


class MistakeError(LakeError):
    """A file that people write has a mistake; one line that names the place and the remedy."""


def written_text(assets: LakeFiles, name: str) -> str | None:
    """The text of a file; None where there is none.

    Args:
        assets: The lake's `assets/`.
        name: The file's name.

    Raises:
        MistakeError: In one line, when it is too long or is no UTF-8.
        LakeError: In one line, when it cannot be read.
    """
    return checked_text(lambda: assets.read_text(name), f"{assets.root}/{name}")


def checked_text(read: Callable[[], str | None], place: str) -> str | None:
    """What is read, if people can have written it.

    Args:
        read: Gives the text; None where there is none.
        place: Where it is from, for errors.

    Raises:
        MistakeError: As for `written_text`.
        LakeError: As for `written_text`.
    """
    try:
        text = read()
    except UnicodeDecodeError as error:
        raise MistakeError(f"{place}: expected text in UTF-8 ({error.reason})") from None
    if text is not None and len(text) > MOST_BYTES:
        raise MistakeError(f"{place}: expected at most {MOST_BYTES >> 20} MiB")
    return text
