"""A disk without room, for tests: files cannot grow past some bytes, as under a quota."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_room(most_bytes: int = 1) -> Iterator[None]:
    """This process and those it starts cannot write past so many bytes of a file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
