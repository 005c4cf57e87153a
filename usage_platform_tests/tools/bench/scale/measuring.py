"""Measuring a stage at a size, in a process of its own.

Not here: the stages, the sizes.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

from usage_platform_tests.tools.bench.process_usage import watched
from usage_platform_tests.tools.bench.scale.curve import Point
from usage_platform_tests.tools.bench.scale.place import Place
from usage_platform_tests.tools.bench.scale.stages import STAGES


def measured_apart(name: str, place: Place) -> Point:
    """Measure a stage; what other stages left in memory does not count.

    Args:
        name: Of the stage.
        place: Where it finds what it works on.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_measured, name, place).result()


def _measured(name: str, place: Place) -> Point:
    work = STAGES[name].prepare(place)
    began = time.perf_counter()
    with watched(place.leaders) as used:
        work()
    seconds = time.perf_counter() - began
    return Point(place.size, seconds, used.cpu_seconds, used.python_peak, used.java_peak)
