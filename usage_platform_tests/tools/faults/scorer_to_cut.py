"""A scorer in a process of its own that stops itself within its second transaction.

Belongs here: the platform's own scorer on a producer that stops at a place. Not here: that producer
(`stopping_producer`), killing it and judging what it left (`rounds_of_scorer`).

`python -m usage_platform_tests.tools.faults.scorer_to_cut BOOTSTRAP LAKE PLACE NOTE TIMEOUT_MS
SCORERS`
"""

import sys
from functools import partial
from pathlib import Path

from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import Lake
from usage_platform.services import score as scoring
from usage_platform.services import score_fencing
from usage_platform.services.score_division import Division, Share
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_meters import MeterClaims
from usage_platform.services.tick_request import TickRequest
from usage_platform_tests.tools.faults.judge_of_rounds import REGISTRY, timeline
from usage_platform_tests.tools.faults.stopping_producer import StoppingProducer

BATCH = 40


def main() -> None:
    """Score what waits, in small batches; a scorer that was fenced ends with its line.

    Of several scorers it is the last one; the others begin the division and do nothing.
    """
    bootstrap, lake, StoppingProducer.place, note, timeout, scorers = sys.argv[1:]
    StoppingProducer.topic, StoppingProducer.note = USAGE, Path(note)
    score_fencing.Producer = StoppingProducer  # type: ignore[misc]
    score_fencing.TRANSACTION_TIMEOUT_MS = int(timeout)
    scoring._BATCH = BATCH
    kafka, reader, number = KafkaSettings(bootstrap), LakeReader(Lake(lake)), int(scorers) - 1
    scorer = scoring.Scorer(kafka, reader, Share(0, Division(scorers=int(scorers))))
    if number:
        claim = partial(MeterClaims().claim, number)
        scorer = scoring.Scorer(kafka, reader, Share(number, scorer.share.division), claim)
    try:
        scorer.tick(TickRequest(timeline(), REGISTRY, 600))
    except ScorerFencedError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
