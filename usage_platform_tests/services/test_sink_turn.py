"""One turn of a sink at a time: among threads, processes and hosts."""

import subprocess
import sys
import threading

import pytest

from usage_platform.adapters.lake.lease import sink_lease
from usage_platform.adapters.lake.lease_record import Holder
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services.sink_turn import SinkBusyError, SinkTurn

_HOLDING = """
import sys, time
from pathlib import Path
from usage_platform.services.sink_turn import SinkTurn

with SinkTurn(Path(sys.argv[1])).taken():
    print("taken", flush=True)
    time.sleep(600)
"""


def test_a_turn_excludes_those_of_other_threads_and_ends_with_its_block(tmp_path):
    lock, refused = tmp_path / "run" / "webhook", []

    def other():
        try:
            with SinkTurn(lock).taken():
                pass
        except SinkBusyError as error:
            refused.append(str(error))

    with SinkTurn(lock).taken():
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        with SinkTurn(tmp_path / "run" / "slack").taken():
            pass
    assert refused == ["the turn before still waits for the sink's answer"]
    with SinkTurn(lock).taken():
        pass


def test_a_killed_process_frees_its_turn(tmp_path):
    lock = tmp_path / "webhook"
    holder = subprocess.Popen(
        (sys.executable, "-c", _HOLDING, str(lock)), stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout.readline() == "taken\n"
    with pytest.raises(SinkBusyError), SinkTurn(lock).taken():
        pass
    holder.kill()
    holder.wait()
    holder.stdout.close()
    with SinkTurn(lock).taken():
        pass


@pytest.mark.parametrize("root", ["folder", pytest.param("s3", marks=pytest.mark.aws)])
def test_hosts_exclude_each_other_by_a_lease_for_each_sink(request, tmp_path, root):
    lake = Lake(str(tmp_path)) if root == "folder" else request.getfixturevalue("s3_lake")

    def turn(host, sink):
        lease = sink_lease(lake, sink, Holder(host, "/data"))
        return SinkTurn(tmp_path / host / sink, lease)

    with (
        turn("one", "webhook").taken(),
        turn("other", "slack").taken(),
        pytest.raises(SinkBusyError, match="another platform"),
        turn("other", "webhook").taken(),
    ):
        pass
    # It stays with its host, which need not wait for itself, not even after a crash.
    with turn("one", "webhook").taken():
        pass
