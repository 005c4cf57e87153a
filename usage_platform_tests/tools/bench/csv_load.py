"""Reading a CSV file of a million rows, beside `pandas.read_csv` on the same file.

Belongs here: the file and both readings. Not here: printing (`__main__`).
"""

import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from usage_platform.adapters.sources.csv_file import CsvSource
from usage_platform.core.meters import Meter

ROWS = 1_000_000
_METERS = 10


def rows_a_second(folder: Path) -> tuple[float, float]:
    """How many rows a second of one core the platform and pandas read.

    The platform also recognises the file, checks each row and sorts the readings.

    Args:
        folder: Where the file is written.
    """
    path = folder / "bench.csv"
    _write(path)
    source = CsvSource((path,), Meter())
    return (
        ROWS / _core_seconds(lambda: source.load(lambda done, total: None)),
        ROWS / _core_seconds(lambda: pd.read_csv(path, parse_dates=["time"])),
    )


def _write(path: Path) -> None:
    count = ROWS // _METERS
    times = pd.date_range("2020-01-01", periods=count, freq="5min", tz="UTC")
    texts = times.strftime("%Y-%m-%dT%H:%M:%SZ")
    values = [round(at % 977 / 7, 2) for at in range(count)]
    frames = [
        pd.DataFrame({"meter": f"m{number}", "time": texts, "kw": values})
        for number in range(_METERS)
    ]
    pd.concat(frames).to_csv(path, index=False)


def _core_seconds(read: Callable[[], object]) -> float:
    began = time.process_time()
    read()
    return time.process_time() - began
