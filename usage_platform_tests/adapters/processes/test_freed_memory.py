import subprocess
import sys

import pytest

# Blocks that are too small for pages of their own; every other one is freed.
_FREES_BETWEEN_BLOCKS = """
import gc
import numpy as np
from usage_platform.adapters.processes.freed_memory import return_freed_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096

blocks = [np.ones(10_000) for _ in range(2_000)]
del blocks[::2]
gc.collect()
before = resident()
return_freed_memory()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps freed pages so")
def test_what_was_freed_between_blocks_goes_back_to_the_system():
    command = [sys.executable, "-c", _FREES_BETWEEN_BLOCKS]
    found = subprocess.run(command, check=True, capture_output=True, text=True)
    freed = 1_000 * 10_000 * 8
    assert int(found.stdout) > freed / 2
