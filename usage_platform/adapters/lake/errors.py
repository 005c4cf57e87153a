"""What goes wrong with the place where the lake is, in one line for the user.

Belongs here: a full, read-only or missing disk, an S3 that does not answer or refuses, a damaged
file. Not here: what the tables should hold.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

from deltalake.exceptions import DeltaError

_LONGEST = 200
_STEP = "↳"
_COLOUR = re.compile(r"\x1b\[\d*m")
_S3_ANSWER = re.compile(r"<Code>(?P<code>[^<]*)</Code>\s*<Message>(?P<message>[^<]*)</Message>")
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
ON_S3 = (
    "check the bucket's name, the AWS credentials, AWS_REGION and AWS_ENDPOINT_URL, or choose "
    "another lake with USAGE_LAKE"
)
"""What to do about an S3 that does not answer or refuses."""


class LakeError(RuntimeError):
    """The lake or a query is not as it should be; one line for the user."""


@contextmanager
def told_in_one_line(place: str) -> Iterator[None]:
    """Turn what a file system or Delta says of a place into one line that says what to do.

    A file that is not there stays a `FileNotFoundError`: whoever asks for it knows what that means.

    Args:
        place: The folder, file or table at hand, as the user would name it.

    Raises:
        LakeError: In place of every other `OSError` and `DeltaError`.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, DeltaError) as error:
        raise LakeError(f"{place}: {what_to_do(error, '://' in place)}") from error


def what_to_do(error: Exception, remote: bool) -> str:
    """What is wrong and what to do about it, in words.

    Args:
        error: What was raised.
        remote: Whether the place is on S3.
    """
    said = one_line(_reason(str(error)))
    number = error.errno if isinstance(error, OSError) else None
    if number in _NO_ROOM:
        return f"no room ({said}); make some there, or choose another folder"
    if remote:
        return f"cannot be reached ({said}); {ON_S3}"
    return (
        f"cannot be used ({said}); expected a folder that this user can read and write, with room: "
        "mend that, or choose another folder"
    )


def _reason(said: str) -> str:
    """Delta's client tells what it was about, a line a step; the reason, or S3's answer, last."""
    answer = _S3_ANSWER.search(said)
    if answer:
        return f"{answer['code']}: {answer['message']}"
    return _COLOUR.sub("", said).rpartition(_STEP)[2]


def one_line(text: str) -> str:
    """The first line that says something, cut where it is too long to read."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else ""
    return first if len(first) <= _LONGEST else first[: _LONGEST - 1] + "…"
