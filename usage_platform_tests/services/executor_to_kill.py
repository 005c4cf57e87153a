"""A micro-batch on executors of which one dies with its worker, for Spark's processes to import."""

import os
import signal
from pathlib import Path
from unittest.mock import patch

from usage_platform.adapters.spark import executor_batch

_HOURS = executor_batch._hours


def write_and_kill(killed, worker_pids, lake, registry, frame, batch_id):
    """Write a batch; the first task of its hours kills its executor and that one's worker.

    Args:
        killed: A file that is made by that task.
        worker_pids: The processes of the workers.
        lake: As for `write_usage_batch_on_executors`, like the arguments after it.
        registry: The known meters.
        frame: The batch's rows.
        batch_id: Its number.
    """

    def hours(lake, registry, before, batches):
        kill_once(killed, worker_pids)
        yield from _HOURS(lake, registry, before, batches)

    with patch.object(executor_batch, "_hours", hours):
        executor_batch.write_usage_batch_on_executors(lake, registry, frame, batch_id)


def kill_once(killed, worker_pids):
    """Kill this process's executor and its worker, unless another task did so before."""
    try:
        Path(killed).touch(exist_ok=False)
    except FileExistsError:
        return
    ancestors = [os.getpid()]
    while ancestors[-1] > 1 and ancestors[-1] not in worker_pids:
        fields = Path(f"/proc/{ancestors[-1]}/stat").read_text().rpartition(")")[2].split()
        ancestors.append(int(fields[1]))
    # The worker first: nobody notes that its executor is gone. It is the last but for itself.
    assert ancestors[-1] in worker_pids
    for pid in reversed(ancestors[1:]):
        os.kill(pid, signal.SIGKILL)
