"""How soon an event of a running platform is in its hour, and how soon an anomaly is published.

Run by `make bench-live`: `usage-platform up` in a folder of its own, played at a pace. The time of
an event, on `usage` and on `anomaly`, is that of the broker's append; that of an hour is when a
reader of the table sees it. Now and then the next reading is sent before the playback sends it,
with a value that is certainly anomalous: few of the played ones are.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE
from usage_platform.adapters.lake.tables import USAGE_HOURLY
from usage_platform.core.anomalies.message_parsing import parse_anomaly
from usage_platform_tests.e2e.conftest import platform_in, wait_for
from usage_platform_tests.e2e.running_platform import RunningPlatform, running
from usage_platform_tests.ports import unused_port
from usage_platform_tests.tools.bench.process_usage import cpu_seconds_of
from usage_platform_tests.topics import put_events, read_events

_MINUTES = 20.0
_LOOK_SECONDS = 0.1
_ANOMALOUS_EVERY_SECONDS = 10
_ANOMALOUS_KW = 9_999.0
# An event every five seconds: no two wait for the same batch.
_SETTINGS = {
    "interval_minutes": 5,
    "accelerator": 60,
    "generated_days": 60,
    "history_days": 42,
    # It finds a fifth of all readings anomalous.
    "method": "blog",
}
# After the history a day is played in five minutes, then nothing.
_IDLE = {"accelerator": 300, "generated_days": 43}
_LONGEST_PLAYBACK = 900
_SETTLED_SECONDS = 120
_SERVICES = ("kafka", "spark", "code", "ui", "daemon", "page")
_PERCENTILES = (50, 95, 99)


@dataclass(frozen=True)
class Delay:
    """What was measured of many events.

    Attributes:
        what: From where to where.
        seconds: One for each event.
    """

    what: str
    seconds: np.ndarray

    def percentiles(self) -> list[float]:
        """Seconds at each of `_PERCENTILES`; NaN without an event."""
        if not len(self.seconds):
            return [float("nan")] * len(_PERCENTILES)
        return [float(one) for one in np.percentile(self.seconds, _PERCENTILES)]


def main() -> None:
    """Measure for a while, and print a table."""
    parser = argparse.ArgumentParser(description="Measure a running platform.")
    parser.add_argument("--minutes", type=float, default=_MINUTES, help="how long (20)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--idle", action="store_true", help="play nothing, and print the processors used"
    )
    given = parser.parse_args()
    if given.idle:
        cores = _idle_cores(given.minutes * 60)
        line = f"processors used while no event arrives: {cores:.3f} cores"
        print(json.dumps({"idle_cores": cores}) if given.json else line)
        return
    with tempfile.TemporaryDirectory(prefix="usage-bench-live-") as folder:
        platform = platform_in(Path(folder), unused_port, **_SETTINGS)
        with running(platform) as stack:
            seen, cores = _watch(stack, given.minutes * 60)
            delays = _delays(stack, seen)
    if given.json:
        print(
            json.dumps(
                {d.what: dict(zip(_PERCENTILES, d.percentiles(), strict=True)) for d in delays}
            )
        )
        return
    table = Table("delay", "events", *(f"p{one}, s" for one in _PERCENTILES))
    for delay in delays:
        table.add_row(
            delay.what, f"{len(delay.seconds):,}", *(f"{s:.1f}" for s in delay.percentiles())
        )
    console = Console()
    console.print(table)
    console.print(f"processors used meanwhile: {cores:.2f} cores")


def _idle_cores(seconds: float) -> float:
    """The mean number of cores that a platform uses after it has settled, without an event."""
    with tempfile.TemporaryDirectory(prefix="usage-bench-idle-") as folder:
        platform = platform_in(Path(folder), unused_port, **_SETTINGS | _IDLE)
        with running(platform) as stack:
            wait_for("the playback's end", lambda: stack.playback() is None, _LONGEST_PLAYBACK)
            time.sleep(_SETTLED_SECONDS)
            used, began = _cpu_seconds(stack), time.monotonic()
            time.sleep(seconds)
            return (_cpu_seconds(stack) - used) / (time.monotonic() - began)


def _watch(stack: RunningPlatform, seconds: float) -> tuple[pd.DataFrame, float]:
    """Look at the hours again and again.

    Returns:
        `newest` (the newest reading of the hours, UTC) and `at` (when it was first seen, UTC), and
        the mean number of cores that the platform's processes used.
    """
    reader = stack.deployment.reader
    rows: list[tuple[pd.Timestamp, pd.Timestamp]] = []
    used, began = _cpu_seconds(stack), time.monotonic()
    version, sent = -1, began
    while time.monotonic() - began < seconds:
        time.sleep(_LOOK_SECONDS)
        now = reader.state(USAGE_HOURLY).version
        if now == version:
            continue
        version = now
        last = reader.span(USAGE_HOURLY, "last_reading")
        if last is not None and (not rows or last[1] > rows[-1][0]):
            rows.append((last[1], pd.Timestamp.now(tz="UTC")))
            if time.monotonic() - sent >= _ANOMALOUS_EVERY_SECONDS:
                sent = time.monotonic()
                _send_anomalous(stack, last[1])
    cores = (_cpu_seconds(stack) - used) / (time.monotonic() - began)
    return pd.DataFrame(rows, columns=["newest", "at"]), cores


def _send_anomalous(stack: RunningPlatform, newest: pd.Timestamp) -> None:
    """Send the reading after the newest one, with a value that no building has."""
    meter = stack.deployment.registry().default
    at = newest + pd.Timedelta(minutes=meter.interval_minutes)
    event = {"meter": meter.name, "ts": at.isoformat(), "value": _ANOMALOUS_KW}
    put_events(stack.deployment.kafka, [json.dumps(event).encode()])


def _delays(stack: RunningPlatform, seen: pd.DataFrame) -> list[Delay]:
    appended: dict[pd.Timestamp, float] = {}
    anomalous: dict[pd.Timestamp, float] = {}
    for message in read_events(stack.deployment.kafka, USAGE):
        event = json.loads(message.value() or b"")
        times = anomalous if event["value"] == _ANOMALOUS_KW else appended
        times[pd.Timestamp(event["ts"])] = message.timestamp()[1] / 1000
    in_hour = [
        at.timestamp() - when
        for (before, _), (newest, at) in pairwise(seen.itertuples(index=False))
        for ts, when in appended.items()
        if before < ts <= newest and ts not in anomalous
    ]
    first: dict[pd.Timestamp, float] = {}
    for ts, when in _anomalies(stack):
        if ts in anomalous and when >= anomalous[ts]:
            first.setdefault(ts, when)
    published = [when - anomalous[ts] for ts, when in first.items()]
    return [
        Delay("event to its hour in usage_hourly", np.array(in_hour)),
        Delay("event to its message on anomaly", np.array(published)),
    ]


def _anomalies(stack: RunningPlatform) -> Iterator[tuple[pd.Timestamp, float]]:
    for message in read_events(stack.deployment.kafka, ANOMALY):
        found = parse_anomaly(message.value())
        if found is not None:
            yield (
                pd.Timestamp(json.loads(message.value() or b"")["ts"]),
                message.timestamp()[1] / 1000,
            )


def _cpu_seconds(stack: RunningPlatform) -> float:
    """Processor time of all processes of the platform, with that of children that have ended."""
    return cpu_seconds_of([pid for service in _SERVICES if (pid := stack.pid(service))])


if __name__ == "__main__":
    main()
