"""Errors of the lake's storage, in one line for the user.

Belongs here: a full, read-only or missing disk, an S3 that does not answer or refuses, a damaged
file. Not here: the content of the tables.
"""

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
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
"""The remedy for an S3 that does not answer or refuses."""


class LakeError(RuntimeError):
    """The lake cannot be used, or a query is invalid; one line for the user."""


@contextmanager
def lake_errors_in_one_line(place: str) -> Iterator[None]:
    """Turn an error of a file system or of Delta into one line that says what to do.

    A missing file stays a `FileNotFoundError`, which the caller handles.

    Args:
        place: The folder, file or table, as the user would name it.

    Raises:
        LakeError: In place of every other `OSError` and `DeltaError`, and of Arrow's errors, which
            a damaged file of a table raises.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, DeltaError, pa.ArrowException) as error:
        raise LakeError(f"{place}: {what_to_do(error, '://' in place)}") from error


def what_to_do(error: Exception, remote: bool) -> str:
    """An error text with the cause and the remedy.

    Args:
        error: What was raised.
        remote: Whether the storage is S3.
    """
    reason = one_line(_reason(str(error)))
    number = error.errno if isinstance(error, OSError) else None
    if number in _NO_ROOM:
        return f"no space left ({reason}); free some there, or choose another folder"
    if remote:
        return f"cannot be reached ({reason}); {ON_S3}"
    return (
        f"cannot be used ({reason}); expected a folder that this user can read and write, with "
        "free space: fix that, or choose another folder"
    )


def _reason(text: str) -> str:
    """The cause alone: Delta's client names each step in a line, the cause or S3's answer last."""
    answer = _S3_ANSWER.search(text)
    if answer:
        return f"{answer['code']}: {answer['message']}"
    return _COLOUR.sub("", text).rpartition(_STEP)[2]


def one_line(text: str) -> str:
    """The first line that is not blank, shortened where it is too long to read."""
    lines = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    first = lines[0] if lines else ""
    return first if len(first) <= _LONGEST else first[: _LONGEST - 1] + "…"
