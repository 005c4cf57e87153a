"""An averager of samples in a process of its own that stops itself within its second transaction.

Belongs here: the platform's own averager on a producer that stops at a place. Not here: that
producer (`stopping_producer`), killing it and judging what it left (`rounds_of_samples`).

`python -m usage_platform_tests.tools.faults.averager_to_cut BOOTSTRAP LAKE PLACE NOTE`
"""

import sys
from pathlib import Path

from usage_platform.adapters.kafka.topics import SAMPLES, KafkaSettings
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services import average_samples, score_fencing
from usage_platform_tests.services.simulated_devices import METERS, REGISTRY
from usage_platform_tests.tools.faults.stopping_producer import StoppingProducer

BATCH = 100


def main() -> None:
    """Average what waits, in small batches; its clock stands, so that only samples close."""
    bootstrap, lake, StoppingProducer.place, note = sys.argv[1:]
    StoppingProducer.topic, StoppingProducer.note = SAMPLES, Path(note)
    score_fencing.Producer = StoppingProducer  # type: ignore[misc]
    average_samples._BATCH = BATCH
    averager = average_samples.SampleAverager(KafkaSettings(bootstrap), Lake(lake), lambda: 0.0)
    averager.tick(METERS, REGISTRY, 600)


if __name__ == "__main__":
    main()
