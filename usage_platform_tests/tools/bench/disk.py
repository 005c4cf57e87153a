"""The row on disk: bytes of an event on the topic, and of a meter's year in the lake's tables."""

from pathlib import Path

from usage_platform.adapters.kafka.topics import USAGE
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS, USAGE_HOURLY, Lake
from usage_platform_tests.tools.bench.figures import Figure
from usage_platform_tests.tools.bench.ingestion import put
from usage_platform_tests.tools.bench.made_readings import (
    A_DAY,
    fill_hours,
    fill_readings,
    readings_of,
)
from usage_platform_tests.tools.bench.workbench import Workbench

_METERS = (1, 1_000)
_DAYS = 5
_YEAR_DAYS = 365
_MB = 1e6


def disk(bench: Workbench) -> list[Figure]:
    """Bytes with one file a day and table, as upkeep leaves them."""
    kafka = bench.fresh_kafka()
    put(kafka, readings_of(_METERS[1], 1))
    topic = sum(_bytes(folder) for folder in bench.topics_folder.rglob(f"{USAGE}-[0-9]*"))
    figures = [("an event on the topic usage", topic / (A_DAY * _METERS[1]), "bytes")]
    for meters in _METERS:
        lake = Lake(str(bench.new_folder()))
        fill_readings(lake, meters, _DAYS)
        fill_hours(lake, meters, 0, _DAYS)
        for table in (READINGS, USAGE_HOURLY):
            size = LakeReader(lake).files(table)["bytes"].sum() / (meters * _DAYS)
            what = f"{table.name}, a year of each of {meters:,} meters"
            figures.append((what, float(size) * _YEAR_DAYS / _MB, "MB/meter"))
    return [Figure(*figure, more_is_better=False) for figure in figures]


def _bytes(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.glob("*.log"))
