"""A scorer in a process of its own that stops itself within its second transaction.

Belongs here: the platform's own scorer on a producer that stops at a place. Not here: that producer
(`stopping_producer`), killing it and judging what it left (`rounds_of_scorer`).

`python -m usage_platform_tests.tools.faults.scorer_to_cut BOOTSTRAP LAKE PLACE NOTE TIMEOUT_MS`
"""

import sys
from pathlib import Path

from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services import score as scoring
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform_tests.tools.faults.judge_of_rounds import REGISTRY, timeline
from usage_platform_tests.tools.faults.stopping_producer import StoppingProducer

BATCH = 40


def main() -> None:
    """Score what waits, in small batches; a scorer that was fenced ends with its line."""
    bootstrap, lake, StoppingProducer.place, note, timeout = sys.argv[1:]
    StoppingProducer.topic, StoppingProducer.note = USAGE, Path(note)
    scoring.Producer = StoppingProducer  # type: ignore[misc]
    scoring._BATCH, scoring.TRANSACTION_TIMEOUT_MS = BATCH, int(timeout)
    scorer = scoring.Scorer(KafkaSettings(bootstrap), LakeReader(Lake(lake)))
    try:
        scorer.tick(timeline(), REGISTRY, 600)
    except ScorerFencedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
