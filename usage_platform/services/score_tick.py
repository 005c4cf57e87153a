"""One scoring tick with the models that are active now.

Belongs here: which models a tick scores with, how far behind it leaves the scorer, what happens
when another scorer takes over. Not here: the scorer itself (`score`), sharing it between ticks
(`kept_client`), when it runs (the sensor `anomaly_stream` and the asset `anomaly`).
"""

from collections.abc import Callable
from contextlib import closing

import pandas as pd
from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.topics import KafkaSettings, KafkaUnreachableError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.detector.schedule import next_model_from
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.divided_scorers import DividedScorers
from usage_platform.services.progress import lag_of_scoring
from usage_platform.services.score import Scorer
from usage_platform.services.score_fencing import ScorerFencedError
from usage_platform.services.score_result import TickResult
from usage_platform.services.score_silence import SilenceRule
from usage_platform.services.tick_request import TickRequest

_TRIES = 5

Timeline = Callable[[], ModelTimeline]
"""Gives the models that are active now."""


def score_waiting(
    scorer: Scorer | DividedScorers,
    kafka: KafkaSettings,
    models: ModelStore,
    timeline: Timeline,
    registry: MeterRegistry,
    seconds: float,
    *,
    listen: bool,
    silence: SilenceRule | None = None,
) -> TickResult:
    """Score the events that wait on the topic `usage`.

    Args:
        scorer: The scorer, or those that divide the partitions.
        kafka: The brokers.
        models: The trained models, at least one.
        timeline: Gives the active models.
        registry: The known meters; the default one's zone says when the next model is due.
        seconds: Deadline of the tick.
        listen: Whether to wait until the deadline for events that arrive.
        silence: When a meter counts as silent; None to report no silence.

    Raises:
        KafkaException: The scorer must be closed; nothing is lost or published twice.
        ScorerFencedError: Another scorer has taken over; this one must be closed.
    """
    # Before the active models: a model that is promoted in between must not let the readings of
    # the week after it be scored by the model before it.
    newest = models.candidates()[-1]
    horizon = next_model_from(newest.begin, registry.default.timezone)
    request = TickRequest(timeline(), registry, seconds, listen, horizon, silence)
    result = scorer.tick(request)
    if result.events:
        result.behind = _behind(kafka, registry) if result.lag else pd.Timedelta(0)
    return result


def score_waiting_once(
    kafka: KafkaSettings,
    reader: LakeReader,
    models: ModelStore,
    timeline: Timeline,
    registry: MeterRegistry,
    seconds: float,
) -> TickResult:
    """Score what waits with a scorer of its own, beside those of the sensor.

    Each of the two fences the other; one that is fenced here tries again on what is left.

    Args:
        kafka: The brokers.
        reader: The lake's tables.
        models: As for `score_waiting`, like the arguments after it.
        timeline: Gives the active models.
        registry: The known meters.
        seconds: Deadline of each try.

    Raises:
        ScorerFencedError: When the last try was fenced too.
    """
    for left in reversed(range(_TRIES)):
        try:
            with closing(Scorer(kafka, reader)) as scorer:
                return score_waiting(
                    scorer, kafka, models, timeline, registry, seconds, listen=False
                )
        except ScorerFencedError:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def _behind(kafka: KafkaSettings, registry: MeterRegistry) -> pd.Timedelta | None:
    """How far scoring is behind; None if that cannot be measured, as the tick is committed."""
    try:
        return lag_of_scoring(kafka, registry).event_time
    except (KafkaUnreachableError, KafkaException):
        return None
