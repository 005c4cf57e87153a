"""A playback in a process of its own, which is disturbed from outside.

`python -m usage_platform_tests.tools.faults.playback_to_cut BOOTSTRAP READINGS PACE`
"""

import sys

import pandas as pd

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform_tests.tools.faults.playing import AT_ONCE, go_on, slow


def main() -> None:
    """Play the readings of a Parquet file from where the topic ends."""
    bootstrap, path, pace = sys.argv[1:]
    readings = pd.read_parquet(path)
    meter = Meter(readings["meter"].iloc[0])
    chosen = {"at once": AT_ONCE, "slow": slow(meter)}[pace]
    go_on(KafkaSettings(bootstrap), readings, MeterRegistry(meter), chosen)


if __name__ == "__main__":
    main()
