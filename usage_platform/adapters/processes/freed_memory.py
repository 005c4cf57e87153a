"""Giving the memory that this process has freed back to the system.

glibc gives back what lies at the end of its heap; what was freed between blocks that are in use
stays with the process, and no other one can have it.

Source: malloc_trim(3).
"""

import ctypes


def return_freed_memory() -> None:
    """Give freed pages back, where the C library can; for use after a large work, not within it."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
