"""What a tick is asked for: the same of one scorer, of its process and of all scorers."""

from dataclasses import dataclass

import pandas as pd

from usage_platform.core.detector.model_timeline import ModelTimeline
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.score_silence import SilenceRule


@dataclass(frozen=True)
class TickRequest:
    """What a tick of a scorer is asked for.

    Attributes:
        timeline: The active models.
        registry: The known meters.
        seconds: Deadline of the tick; a portion that has begun, some seconds long, is finished and
            committed, and what is left of a batch is for the next tick.
        listen: Whether to wait until the deadline for events that arrive, and score them; else stop
            at the current end of the topic.
        horizon: Readings from here on wait for the next model, if they are of the past: live ones
            do not.
        silence: When a meter counts as silent; None to report no silence.
    """

    timeline: ModelTimeline
    registry: MeterRegistry
    seconds: float
    listen: bool = False
    horizon: pd.Timestamp | None = None
    silence: SilenceRule | None = None
