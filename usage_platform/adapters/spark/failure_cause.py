"""The root cause of a failure in Spark, out of its text of many lines.

Belongs here: reading the texts of Spark, of its Python workers and of the JVM. Not here: what the
user should do (`session`).
"""

import re

from usage_platform.adapters.lake.errors import one_line

_TRACEBACK = "Traceback (most recent call last):"
# What Spark puts before the message that matters, once for each layer.
_LAYERS = re.compile(
    r"\[STREAM_FAILED\] Query \[[^\]]*\] terminated with exception: "
    r"|\[PYTHON_EXCEPTION\] |\[session: [^\]]*\] |\[userId: [^\]]*\] "
    r"|Found error inside foreachBatch Python process: "
)
_CAUSED_BY = re.compile(r"^Caused by: (?:[\w$]+\.)*(?P<kind>[\w$]+): (?P<text>.+)$", re.M)
_PYTHON_ERROR = re.compile(r"^(?:\w+\.)*(?P<kind>[A-Za-z_]\w*): (?P<text>.+)$")
_OWN = "usage_platform."
_SQLSTATE = re.compile(r"\s*SQLSTATE: \w+")


def root_cause(text: str) -> str:
    """The cause of a failure in one line.

    Args:
        text: The whole text of the exception, with the JVM's and the worker's traces if it has any.
    """
    plain = _LAYERS.sub("", text)
    if _TRACEBACK in plain:
        return _of_worker(plain.rpartition(_TRACEBACK)[2])
    head = one_line(_SQLSTATE.sub("", plain))
    causes = [match for match in _CAUSED_BY.finditer(plain) if _TRACEBACK not in match["text"]]
    if not causes or causes[-1]["text"].strip() in head:
        return head
    deepest = f"{causes[-1]['kind']}: {causes[-1]['text']}"
    # Spark's own first line says only that the stream ended where it names no cause.
    return one_line(deepest) if "[STREAM_FAILED]" in text else f"{head} ({one_line(deepest)})"


def _of_worker(trace: str) -> str:
    """The error that ended a Python worker, from what follows the head of its last traceback."""
    lines = _SQLSTATE.sub("", trace).splitlines()
    # Frames and their source are indented.
    found = [line for line in lines if line.strip() and not line.startswith(" ")]
    first = found[0] if found else ""
    error = _PYTHON_ERROR.match(first)
    if error is None:
        return one_line(first or trace)
    said = error["text"] if first.startswith(_OWN) else f"{error['kind']}: {error['text']}"
    causes = [*_CAUSED_BY.finditer("\n".join(found))]
    if not causes or causes[-1]["text"].strip() in said:
        return one_line(said)
    return f"{one_line(said)} ({one_line(causes[-1]['text'])})"
