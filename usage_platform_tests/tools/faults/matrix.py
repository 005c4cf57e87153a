"""The matrix of faults: all cuts, and one round at any of them."""

from collections.abc import Callable, Mapping
from functools import partial

from usage_platform_tests.tools.faults import (
    rounds_of_broker,
    rounds_of_clock,
    rounds_of_lakes,
    rounds_of_playback,
    rounds_of_retention,
    rounds_of_run,
    rounds_of_samples,
    rounds_of_scorer,
    rounds_of_spark,
    rounds_of_stack,
    rounds_of_topics,
)
from usage_platform_tests.tools.faults.cuts import Cut, Outcome, Rounds
from usage_platform_tests.tools.faults.services import Services

_PARTS: Mapping[str, Callable[[Services], Rounds]] = {
    rounds_of_playback.PART: rounds_of_playback.PlaybackRounds,
    rounds_of_scorer.PART: rounds_of_scorer.ScorerRounds,
    rounds_of_scorer.PART_OF_TWO: partial(rounds_of_scorer.ScorerRounds, scorers=2),
    rounds_of_broker.PART: rounds_of_broker.BrokerRounds,
    rounds_of_samples.PART: rounds_of_samples.SampleRounds,
    rounds_of_lakes.PART: rounds_of_lakes.LakeRounds,
    rounds_of_clock.PART: rounds_of_clock.ClockRounds,
    rounds_of_spark.PART: rounds_of_spark.SparkRounds,
    rounds_of_run.PART: rounds_of_run.RunRounds,
    rounds_of_retention.PART: rounds_of_retention.RetentionRounds,
    rounds_of_stack.PART: rounds_of_stack.stack_rounds,
    rounds_of_topics.PART: rounds_of_topics.topic_rounds,
}
CUTS_OF_STREAMS = (
    *rounds_of_playback.CUTS,
    *rounds_of_scorer.CUTS,
    *rounds_of_scorer.CUTS_OF_TWO,
    *rounds_of_broker.CUTS,
)
CUTS = (
    *CUTS_OF_STREAMS,
    *rounds_of_samples.CUTS,
    *rounds_of_lakes.CUTS,
    *rounds_of_clock.CUTS,
    *rounds_of_spark.CUTS,
    *rounds_of_run.CUTS,
    *rounds_of_retention.CUTS,
    *rounds_of_stack.CUTS,
    *rounds_of_topics.CUTS,
)
# What takes longest begins first: what is left at the end runs alone.
SIDE_BY_SIDE = (
    rounds_of_stack.CUTS[2:5],
    rounds_of_stack.CUTS[:2],
    rounds_of_stack.CUTS[5:],
    rounds_of_topics.CUTS[:1],
    rounds_of_topics.CUTS[1:],
    rounds_of_spark.CUTS[:3],
    rounds_of_spark.CUTS[3:6],
    rounds_of_spark.CUTS[6:],
    rounds_of_samples.CUTS,
    rounds_of_run.CUTS,
    rounds_of_retention.CUTS,
    rounds_of_broker.CUTS[:3],
    rounds_of_scorer.CUTS[:3],
    rounds_of_broker.CUTS[3:],
    rounds_of_scorer.CUTS[3:],
    rounds_of_scorer.CUTS_OF_TWO,
    rounds_of_playback.CUTS,
    rounds_of_lakes.CUTS,
    rounds_of_clock.CUTS,
)


class Matrix:
    """Plays rounds; the cuts of one part after the other, as each part has topics of its own."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._part = ""
        self._rounds: Rounds | None = None

    def play(self, cut: Cut) -> Outcome:
        """Play one round at a cut."""
        if self._rounds is None or self._part != cut.part:
            self._part, self._rounds = cut.part, _PARTS[cut.part](self._services)
        return self._rounds.play(cut)
