"""The one exception for problems that a user can fix.

Belongs here: the class alone. A programming mistake stays an ordinary exception with its trace.
"""


class LocalError(RuntimeError):
    """A problem of this machine in one line: what is wrong, and what to do about it."""
