"""The row on training: a week's models of some meters on one processor and on all of them.

Needs no service.
"""

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.processes.pool import map_in_processes
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.manifest import bytes_held
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import HISTORY_DAYS
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import Spread, TrainingRequest
from usage_platform_tests.tools.bench.figures import Beside, Figure
from usage_platform_tests.tools.bench.made_readings import FIRST, fill_readings
from usage_platform_tests.tools.bench.process_usage import watched
from usage_platform_tests.tools.bench.workbench import Workbench

_METERS = 64
_WEEKS = 2
_MB = 1e6


def training(bench: Workbench) -> list[Figure]:
    """Train the same weeks of the same meters both ways."""
    folder = bench.new_folder()
    lake = Lake(f"{folder}/lake")
    fill_readings(lake, _METERS, HISTORY_DAYS + 7 * _WEEKS)
    reader = LakeReader(lake)
    # In this order: what the first reads from the disk, the second finds in memory.
    spread, _ = _seconds(reader, folder / "spread", map_in_processes)
    alone, cpu_seconds = _seconds(reader, folder / "alone", map)
    store = ModelStore(LakeFiles(f"{folder}/alone"))
    newest = store.candidates()[-1].version
    held = sum(map(bytes_held, store.load(newest).detectors.values())) / _METERS
    each = _METERS * _WEEKS
    size = sum(store.bytes_of(one.version) for one in store.candidates()) / each
    what = f"{_METERS} meters x {_WEEKS} weeks on {os.cpu_count()} processors"
    beside = (Beside("on one processor", each / alone),)
    return [
        Figure(what, each / spread, "meter-weeks/s", beside),
        Figure("CPU of a meter-week, one processor", cpu_seconds / each, "CPU-s"),
        Figure("a model on disk", size / _MB, "MB/meter-week", more_is_better=False),
        Figure("a detector in memory", held / _MB, "MB/meter", more_is_better=False),
    ]


def _seconds(reader: LakeReader, models: Path, spread: Spread) -> tuple[float, float]:
    """Seconds and CPU seconds of a training."""
    end = FIRST + timedelta(days=HISTORY_DAYS)
    untils = [end + timedelta(days=7 * number) for number in range(_WEEKS)]
    request = TrainingRequest(untils, TrainingOptions(), promote_anyway=True)
    store, meters = ModelStore(LakeFiles(str(models))), MeterRegistry()
    now = datetime.now(UTC)
    began = time.perf_counter()
    with watched() as used:
        train_and_promote(store, reader, meters, NO_LABELS, request, now, lambda text: None, spread)
    return time.perf_counter() - began, used.cpu_seconds
