"""The row on the scorer's state: its memory and the time of a restart, by the number of meters.

Each is measured in a process of its own, which restores what a scorer holds and scores one reading
of each meter.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.core.anomalies.stream import RETENTION
from usage_platform.core.detector.model_timeline import LOOK_BACK
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.score import Scorer
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.tools.bench.figures import Figure
from usage_platform_tests.tools.bench.ingestion import put
from usage_platform_tests.tools.bench.made_models import copied_model, timeline_of
from usage_platform_tests.tools.bench.made_readings import FIRST, fill_readings, readings_of
from usage_platform_tests.tools.bench.process_usage import resident_bytes, watched
from usage_platform_tests.tools.bench.scoring import wait_for_coordinator
from usage_platform_tests.tools.bench.workbench import Workbench

METERS = (300, 900)
"""Fewer have fewer readings than are read at a time, so that a further one seems to need more."""
STATE_DAYS = (LOOK_BACK + RETENTION).days + 1
"""Days of readings that a scorer holds, at least."""

_MB = 1e6
_LONGEST_TICK = 600
_TARGET_METERS = 10_000


@dataclass(frozen=True)
class Restart:
    """What starting a scorer took.

    Attributes:
        seconds: From the first connection until one reading of each meter is scored.
        cpu_seconds: The same of processors.
        held: Bytes that are resident more than before.
        peak: The most that was resident meanwhile, bytes.
    """

    seconds: float
    cpu_seconds: float
    held: int
    peak: int


def scorer_memory(bench: Workbench) -> list[Figure]:
    """Restart a scorer with fewer and with more meters."""
    small, large = (_restarted(bench, count) for count in METERS)
    meters = METERS[1] - METERS[0]
    held, peak = ((getattr(large, n) - getattr(small, n)) / meters for n in ("held", "peak"))
    seconds = (large.seconds - small.seconds) / meters
    shown = f"{METERS[1]:,} meters"
    target = f"at {_TARGET_METERS:,} meters, extrapolated"
    figures = [
        (f"restart with {shown}", large.seconds, "s"),
        (f"  CPU, {shown}", large.cpu_seconds, "CPU-s"),
        (f"  peak memory, {shown}", large.peak / _MB, "MB"),
        ("  state held for each further meter", held / _MB, "MB/meter"),
        (f"  peak memory {target}", (large.peak + peak * (_TARGET_METERS - METERS[1])) / _MB, "MB"),
        (f"  restart {target}", large.seconds + seconds * (_TARGET_METERS - METERS[1]), "s"),
    ]
    return [Figure(*figure, more_is_better=False) for figure in figures]


def _restarted(bench: Workbench, meters: int) -> Restart:
    """A first scorer scores a reading of each meter and ends; the next one is measured."""
    kafka, lake = bench.fresh_kafka(), Lake(str(bench.new_folder()))
    fill_readings(lake, meters, STATE_DAYS)
    copied_model(lake, meters, FIRST + timedelta(days=STATE_DAYS))
    readings = readings_of(meters, 1, STATE_DAYS)
    _scored(kafka, lake, readings.iloc[:meters])
    return _scored(kafka, lake, readings.iloc[meters : 2 * meters])


def _scored(kafka: KafkaSettings, lake: Lake, readings: pd.DataFrame) -> Restart:
    put(kafka, readings)
    wait_for_coordinator(kafka)
    # A process that has made the readings holds memory which would hide what a scorer takes.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context) as pool:
        return pool.submit(_restart, kafka, lake, len(readings)).result()


def _restart(kafka: KafkaSettings, lake: Lake, meters: int) -> Restart:
    timeline = timeline_of(lake)
    before = resident_bytes()
    began = time.perf_counter()
    with watched() as used:
        scorer = Scorer(kafka, LakeReader(lake))
        result = scorer.tick(TickRequest(timeline, MeterRegistry(), _LONGEST_TICK))
    seconds = time.perf_counter() - began
    held = resident_bytes() - before
    scorer.close()
    if result.events != meters:
        raise RuntimeError(f"{result.events} of {meters} events were scored")
    return Restart(seconds, used.cpu_seconds, held, used.python_peak)
