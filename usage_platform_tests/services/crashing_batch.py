"""The micro-batch with a crash at a named place, for Spark's worker to import.

The crash is an exception in the worker: the stream ends with the batch planned and not finished.
"""

from functools import partial
from unittest.mock import patch

from usage_platform.adapters.lake import usage_events
from usage_platform.adapters.spark.usage_batch import write_usage_batch

CUTS = {
    "before the rejects": ("merge_rejects", "before"),
    "after the rejects": ("merge_rejects", "after"),
    "after the readings": ("_write_readings", "after"),
    "after the hours": ("merge_hours", "after"),
}


def crashing_at(cut):
    """A stand-in for `write_usage_batch` that dies at the cut."""
    return partial(apply_and_crash, cut)


def apply_and_crash(cut, lake, registry, frame, batch_id):
    """Apply a batch as far as the cut; it must hold a reading and a reject to get to each."""
    name, when = CUTS[cut]
    real = getattr(usage_events, name)

    def crash(*args):
        if when == "after":
            real(*args)
        raise RuntimeError(f"crashed {cut}")

    with patch.object(usage_events, name, crash):
        write_usage_batch(lake, registry, frame, batch_id)
