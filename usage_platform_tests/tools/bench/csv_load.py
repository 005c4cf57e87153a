"""Reading a CSV file of ten million rows, beside `pandas.read_csv` on the same file.

Belongs here: the file and both readings, each in a process of its own. Not here: the row
of the bench (`publishing`).
"""

import json
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

import pandas as pd

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.measurement import Stamp
from usage_platform.core.meter_descriptions.description import (
    Descriptions,
    MeterDescription,
    Version,
)
from usage_platform.core.meter_files.options import FileOptions
from usage_platform.core.meters import Meter

ROWS = 10_000_000
_METERS = 10
_CHANGED = date(2014, 1, 1)
_KIB = 1024 if sys.platform == "linux" else 1
"""The unit in which the system counts a process's memory, in bytes."""


@dataclass(frozen=True)
class CsvRead:
    """What reading the file took.

    Attributes:
        rows_a_second: Rows per second of one core.
        peak_mib: The most memory that the process had, its libraries included, in MiB.
    """

    rows_a_second: float
    peak_mib: float


def csv_reads(folder: Path) -> tuple[CsvRead, CsvRead, CsvRead]:
    """What the platform takes to read the file, also with described meters, and what pandas takes.

    The platform also recognises the file, checks each row and sorts the readings.

    Args:
        folder: Where the file is written.
    """
    path = folder / "bench.csv"
    # A process begins with the peak of the one that starts it, so that this one stays small.
    _run("write", path)
    ways = ("platform", "described", "pandas")
    ours, described, naive = (CsvRead(**json.loads(_run(how, path))) for how in ways)
    path.unlink()
    return ours, described, naive


def _run(how: str, path: Path) -> str:
    command = [sys.executable, "-m", __spec__.name, how, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _write(path: Path) -> None:
    count = ROWS // _METERS
    times = pd.date_range("2010-01-01", periods=count, freq="5min", tz="UTC")
    texts = times.strftime("%Y-%m-%dT%H:%M:%SZ")
    values = [round(at % 977 / 7, 2) for at in range(count)]
    for number in range(_METERS):
        rows = pd.DataFrame({"meter": f"m{number}", "time": texts, "kw": values})
        rows.to_csv(path, index=False, mode="a" if number else "w", header=not number)


def _described() -> Descriptions:
    """Half of the meters, each with its own factor from a day on."""
    return {
        name: MeterDescription(
            name=name,
            stamp=Stamp.START,
            versions=(Version(valid_from=_CHANGED, factor=2.0 + number),),
        )
        for number in range(_METERS // 2)
        for name in [f"m{number}"]
    }


def _read(how: str, path: Path) -> CsvRead:
    began = time.process_time()
    if how == "pandas":
        pd.read_csv(path, parse_dates=["time"])
    else:
        meters = _described() if how == "described" else {}
        options = FileOptions(meters=meters)
        CsvSource((path,), Meter(), options=options).load(lambda done, total: None)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB
    return CsvRead(ROWS / seconds, peak / 2**20)


def _main(how: str, path: Path) -> None:
    if how == "write":
        _write(path)
    else:
        print(json.dumps(asdict(_read(how, path))))


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]))
