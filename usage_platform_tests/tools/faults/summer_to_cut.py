"""A stage of group sums in a process of its own that stops itself within its second transaction.

Belongs here: the platform's own stage on a producer that stops at a place. Not here: that producer
(`stopping_producer`), killing it and judging what it left (`rounds_of_groups`).

`python -m usage_platform_tests.tools.faults.summer_to_cut BOOTSTRAP LAKE PLACE NOTE`
"""

import sys
from pathlib import Path

from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services import sum_groups
from usage_platform_tests.services.summed_world import GROUPS
from usage_platform_tests.tools.faults.stopping_producer import StoppingProducer


def main() -> None:
    """Sum what is in the lake, a day a transaction."""
    bootstrap, lake, StoppingProducer.place, note = sys.argv[1:]
    StoppingProducer.topic, StoppingProducer.note = USAGE, Path(note)
    sum_groups.Producer = StoppingProducer  # type: ignore[misc]
    summer = sum_groups.GroupSummer(KafkaSettings(bootstrap), LakeReader(Lake(lake)))
    summer.tick(GROUPS, 600)


if __name__ == "__main__":
    main()
