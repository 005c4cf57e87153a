"""A file of many meters and months through `usage-platform demo`: how long, and how much memory.

Run by `make bench-demo`: the file is generated, and played, ingested, trained, scored and checked
by the command that people use, on a platform of its own.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd

from usage_platform_tests.e2e.conftest import Platform, platform_in
from usage_platform_tests.ports import unused_port
from usage_platform_tests.repository import ROOT
from usage_platform_tests.tools.bench.made_readings import FIRST, readings_of
from usage_platform_tests.tools.bench.process_usage import family_bytes

_METERS, _MONTHS = 50, 24
_LONGEST_MINUTES = 180
_LOOK_SECONDS = 10.0
_DAYS_AT_ONCE = 30
_GIB = 2**30


def main() -> None:
    """Play the file, and print the demo's summary with time and memory below it."""
    parser = argparse.ArgumentParser(description="Measure a demo of many meters and months.")
    parser.add_argument("--meters", type=int, default=_METERS, help="meters (50)")
    parser.add_argument("--months", type=int, default=_MONTHS, help="months of each (24)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="usage-bench-demo-") as folder:
        csv = Path(folder, "meters.csv")
        rows = _write(csv, given.meters, given.months)
        platform = platform_in(Path(folder, "data"), unused_port)
        began, (code, peak) = time.monotonic(), _run(platform, csv)
        minutes = (time.monotonic() - began) / 60
    print(
        f"{given.meters} meters x {given.months} months, {rows:,} readings: {minutes:.1f} minutes, "
        f"at most {peak / _GIB:.2f} GiB in all processes together"
    )
    sys.exit(code)


def _write(csv: Path, meters: int, months: int) -> int:
    """Write the readings of whole months; returns how many."""
    end = (pd.Timestamp(FIRST) + pd.DateOffset(months=months)).date()
    rows, days = 0, (end - FIRST).days
    for first in range(0, days, _DAYS_AT_ONCE):
        frame = readings_of(meters, min(_DAYS_AT_ONCE, days - first), first)
        frame = frame.rename(columns={"ts": "time", "value": "kw"})
        frame.to_csv(csv, index=False, mode="a", header=not rows)
        rows += len(frame)
    return rows


def _run(platform: Platform, csv: Path) -> tuple[int, int]:
    """Run the demo to its end.

    Returns:
        Its exit code, and the most memory of all its processes together, bytes.
    """
    command = platform.command(
        *("demo", "--csv", str(csv), "--timezone", "UTC", "--timeout", str(60 * _LONGEST_MINUTES))
    )
    peak = 0
    with subprocess.Popen(command, cwd=ROOT, env=dict(platform.env)) as process:
        while process.poll() is None:
            peak = max(peak, family_bytes(process.pid))
            time.sleep(_LOOK_SECONDS)
    return process.returncode, peak


if __name__ == "__main__":
    main()
