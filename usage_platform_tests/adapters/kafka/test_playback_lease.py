"""One playback a topic: a second one is refused, and a dead one is followed by the next."""

import re
import signal
import subprocess
import sys

import pandas as pd
import pytest

from usage_platform.adapters.kafka.playback_lease import PlaybackLease, PlaybackLeaseError
from usage_platform.adapters.kafka.topics import USAGE, end_offsets
from usage_platform.core.readings.pacing import AS_FAST_AS_POSSIBLE, Pace
from usage_platform.services.play import play

# Plays a reading a second, for as long as it may.
HOLDER = """
import sys
import pandas as pd
from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.services.play import play
from usage_platform.adapters.kafka.playback_lease import PlaybackLease, PlaybackLeaseError
from usage_platform.core.readings.pacing import Pace
kafka = KafkaSettings(sys.argv[1])
times = pd.date_range("2024-03-05T13:00Z", periods=1000, freq="5min", unit="ns")
readings = pd.DataFrame({"meter": "a", "ts": times, "value": 1.0})
try:
    with PlaybackLease(kafka, "host-a:/data") as lease:
        print("has it", flush=True)
        play(kafka, readings, "source", Pace(accelerator=300), lambda p: None, lease.check)
except PlaybackLeaseError as error:
    print(error, flush=True)
"""

pytestmark = pytest.mark.kafka


@pytest.fixture
def holder(kafka):
    """Another process that plays."""
    child = subprocess.Popen(
        (sys.executable, "-c", HOLDER, kafka.bootstrap), stdout=subprocess.PIPE, text=True
    )
    assert child.stdout.readline() == "has it\n"
    yield child
    child.kill()
    child.wait()


def test_a_second_one_is_refused_until_the_first_falls_silent_which_stops_when_it_wakes(
    kafka, holder
):
    with pytest.raises(PlaybackLeaseError) as refused, PlaybackLease(kafka, "host-b:/b", wait=1.0):
        pytest.fail("two have the lease")
    assert re.fullmatch(
        rf"a playback onto {kafka.bootstrap} runs already, started by host-a:/data: .+",
        str(refused.value),
    )
    assert holder.poll() is None
    # To the broker it is as dead as after a kill -9.
    holder.send_signal(signal.SIGSTOP)
    with PlaybackLease(kafka, "host-b:/b", wait=60.0) as lease:
        lease.check()
        before = end_offsets(kafka, USAGE)
        holder.send_signal(signal.SIGCONT)
        said, _ = holder.communicate(timeout=60)
        assert said.startswith(f"playback onto {kafka.bootstrap} lost its lease")
        assert len(said.splitlines()) == 1
        lease.check()
        assert end_offsets(kafka, USAGE)[0][1] <= before[0][1] + 1


def test_given_back_it_can_be_taken_at_once_and_what_is_refused_plays_nothing(kafka):
    for _ in range(2):
        with PlaybackLease(kafka, "host-a:/data", wait=60.0) as lease:
            lease.check()

    def refuse():
        raise PlaybackLeaseError("lost")

    times = pd.date_range("2024-03-05T13:00Z", periods=3, freq="5min", unit="ns")
    readings = pd.DataFrame({"meter": "a", "ts": times, "value": 1.0})
    with pytest.raises(PlaybackLeaseError, match="lost"):
        play(
            kafka, readings, "source", Pace(accelerator=AS_FAST_AS_POSSIBLE), lambda p: None, refuse
        )
    assert end_offsets(kafka, USAGE) == {0: (0, 0)}
