"""Prints how long the models of many meters take on one processor and on all of them.

Run by `python -m usage_platform_tests.tools.bench.training`; needs no service.
"""

import os
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from deltalake import write_deltalake

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.adapters.processes.pool import map_in_processes
from usage_platform.adapters.sources.generated import GeneratedSource
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.train import HISTORY_DAYS
from usage_platform.core.feedback.labels import NO_LABELS
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.services.train import train_and_promote
from usage_platform.services.train_weeks import Spread, TrainingRequest

_METERS = 64
_FIRST = date(2024, 1, 1)
_WEEKS = 2


def main() -> None:
    """Train the same weeks of the same meters both ways and print them."""
    with TemporaryDirectory() as folder:
        reader = _readings(Lake(f"{folder}/lake"))
        # In this order: what the first reads from the disk, the second finds in memory.
        spread = _seconds(reader, Path(folder, "spread"), map_in_processes)
        alone = _seconds(reader, Path(folder, "alone"), map)
        models = ModelStore(LakeFiles(f"{folder}/alone"))
        size = sum(models.bytes_of(one.version) for one in models.candidates())
    detectors = _METERS * _WEEKS
    print(f"training {_METERS} five-minute meters x {_WEEKS} weeks:")
    print(f"  one processor                {alone:8.1f} s, {alone / detectors:.2f} s a detector")
    print(f"  all {os.cpu_count()} processors             {spread:8.1f} s, {alone / spread:.2f} x")
    print(f"  stored                       {size / detectors / 1e6:8.2f} MB a detector")


def _readings(lake: Lake) -> LakeReader:
    meters = tuple(Meter(f"meter-{number:02}") for number in range(_METERS))
    source = GeneratedSource(meters, _FIRST, HISTORY_DAYS + 7 * _WEEKS, 1)
    frame = source.load(lambda done, of: None).frame.rename(columns={"ts": "event_time"})
    frame["event_date"] = frame["event_time"].dt.date
    write_deltalake(lake.table(READINGS), frame, partition_by=[READINGS.partition])
    return LakeReader(lake)


def _seconds(reader: LakeReader, models: Path, spread: Spread) -> float:
    end = _FIRST + timedelta(days=HISTORY_DAYS)
    untils = [end + timedelta(days=7 * number) for number in range(_WEEKS)]
    request = TrainingRequest(untils, TrainingOptions(), promote_anyway=True)
    began = time.perf_counter()
    train_and_promote(
        ModelStore(LakeFiles(str(models))),
        reader,
        MeterRegistry(),
        NO_LABELS,
        request,
        datetime.now(UTC),
        lambda text: None,
        spread,
    )
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
