import subprocess
import sys
import time

from usage_platform_tests.tools.bench.process_usage import resident_bytes, watched
from usage_platform_tests.topics import until

MIB = 2**20
HUNGRY = """
import sys, time
held = bytearray(120 * 2**20)
began = time.process_time()
while time.process_time() - began < 0.3:
    pass
sys.stdin.read()
"""


def test_processor_time_and_peak_memory_of_a_child_count():
    with watched() as used:
        child = subprocess.Popen([sys.executable, "-c", HUNGRY], stdin=subprocess.PIPE)
        until(lambda: used.peaks.get((child.pid, "python"), 0) > 120 * MIB)
        child.communicate()
    assert child.returncode == 0
    assert 0.3 <= used.cpu_seconds < 5
    # Other tests of this process may have left a broker running, which counts too.
    assert used.peaks[child.pid, "python"] > 120 * MIB
    assert used.python_peak > 120 * MIB


def test_what_was_used_before_does_not_count():
    began = time.process_time()
    held = b"x" * (300 * MIB)
    while time.process_time() - began < 0.3:
        pass
    del held
    with watched() as used:
        time.sleep(0.05)
    assert used.cpu_seconds < 0.2
    assert used.python_peak < resident_bytes() + 100 * MIB
