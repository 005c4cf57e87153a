"""The topics of a running platform disturbed by others: stray messages, `usage` created again.

Belongs here: the cuts, and the round. Not here: the judge (`judge_of_platform`), kills of the
platform's parts (`rounds_of_stack`), retention (`rounds_of_retention`).
"""

import time
from collections.abc import Sequence

from confluent_kafka.admin import AdminClient
from dagster import RunsFilter

from usage_platform.adapters.kafka.playback_lease import LEASE_TOPIC
from usage_platform.adapters.kafka.topic_ids import topic_id
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    DEAD_LETTERS,
    EPISODE,
    SAMPLE_REJECTS,
    SAMPLES,
    USAGE,
    ensure_topics,
)
from usage_platform.adapters.lake.tables import REJECTS
from usage_platform.core.readings.messages import kept_bytes
from usage_platform.core.readings.reject_reasons import KEPT_BYTES
from usage_platform_tests.e2e.conftest import platform_in, wait_for
from usage_platform_tests.e2e.running_platform import LONG_S, RunningPlatform, running
from usage_platform_tests.stray_messages import STRAY
from usage_platform_tests.tools.faults.cuts import Cut, Outcome
from usage_platform_tests.tools.faults.findings import Findings, compare
from usage_platform_tests.tools.faults.judge_of_platform import (
    has_replayed_all,
    judged_platform,
    judged_replayed_platform,
)
from usage_platform_tests.tools.faults.rounds_of_stack import SETTINGS
from usage_platform_tests.tools.faults.services import Services
from usage_platform_tests.topics import put_events, read_events, until

PART = "topics"
_STRAYS = Cut(PART, "stray messages of each kind on each topic", None)
_RECREATED = Cut(PART, "usage deleted and created again", None)
CUTS = (_STRAYS, _RECREATED)
_TOPICS = (USAGE, ANOMALY, EPISODE, DEAD_LETTERS, SAMPLES, SAMPLE_REJECTS, LEASE_TOPIC)
_LIVE_METER = "meters:\n- name: plug\n  samples: {path: $.value, quantity: power, unit: kW}\n"
# What operations.md says of a topic that was created again.
_SAID = {
    "playback": "it was deleted or created again while the source was played",
    "micro_batch": "ingestion began again at its first event with a new checkpoint",
}


def topic_rounds(services: Services) -> "TopicRounds":
    """Rounds on a platform of their own, with a live meter, so that all topics are read."""
    folder = services.folder / "topics"
    assets = folder / "lake" / "assets"
    assets.mkdir(parents=True)
    (assets / "meters.yaml").write_text(_LIVE_METER)
    platform = platform_in(folder, services.ask_port, **SETTINGS)
    return TopicRounds(services.enter(running(platform)))


class TopicRounds:
    """Rounds on one running platform; after one in which `usage` is created again, none of strays.

    What is on the new topic says nothing of the messages that the first one held.
    """

    cuts = CUTS

    def __init__(self, stack: RunningPlatform) -> None:
        self._stack = stack
        self._rounds_of_strays = 0

    def play(self, cut: Cut) -> Outcome:
        """Disturb the topics, wait until everything flows again, judge what is there."""
        stack = self._stack
        wait_for("a playback that plays for a while", stack.has_played_for_a_while)
        wait_for("a micro-batch that succeeds", stack.has_ingested, LONG_S)
        return self._strayed() if cut == _STRAYS else self._recreated()

    def _strayed(self) -> Outcome:
        stack, kafka = self._stack, self._stack.deployment.kafka
        failed = stack.failed_ticks()
        self._rounds_of_strays += 1
        began = time.monotonic()
        for topic in _TOPICS:
            put_events(kafka, STRAY, topic)
        stack.goes_on()
        rejects = [
            *((USAGE, one) for one in self._rejects()),
            *((topic, one) for topic in (ANOMALY, EPISODE) for one in self._cut_short()),
        ]
        # Those of `usage` and `anomaly`.
        least = 2 * self._rounds_of_strays * len(STRAY)
        wait_for(
            "strays among the rejects",
            lambda: stack.deployment.reader.state(REJECTS).rows >= least,
        )
        both = self._rejects() + self._rounds_of_strays * _bytes(STRAY)
        wait_for("samples among the rejected", lambda: len(self._on(SAMPLE_REJECTS)) >= len(both))
        seconds = time.monotonic() - began
        ticks = stack.failed_ticks().keys() - failed.keys()
        findings = Findings(wrong=tuple(f"the tick {tick} failed" for tick in sorted(ticks)))
        # What the stage that reads a topic rejected, and what was put beside it.
        for topic in (DEAD_LETTERS, SAMPLE_REJECTS):
            findings += compare(f"message on {topic}", both, self._on(topic))
        return Outcome(findings + judged_platform(stack, _bytes(STRAY), rejects), seconds)

    def _on(self, topic: str) -> list[bytes]:
        return _bytes([one.value() for one in read_events(self._stack.deployment.kafka, topic)])

    def _rejects(self) -> list[bytes]:
        """The strays on a topic of events or samples, as rejects keep them."""
        limits = self._stack.deployment.settings.event_limits
        return self._rounds_of_strays * _bytes([kept_bytes(one, limits) for one in STRAY])

    def _cut_short(self) -> list[bytes]:
        """The strays on a topic of anomalies or episodes, as rejects keep them."""
        return self._rounds_of_strays * [one[:KEPT_BYTES] for one in _bytes(STRAY)]

    def _recreated(self) -> Outcome:
        stack = self._stack
        run = stack.playback()
        began = time.monotonic()
        self._create_again()
        wait_for("another playback", lambda: stack.is_played_by_another(run), LONG_S)
        stack.goes_on()
        seconds = time.monotonic() - began
        # So that all can be judged; it takes the longer, the more was played.
        wait_for("a replay of all", lambda: has_replayed_all(stack), LONG_S)
        unsaid = tuple(
            f"no run of {job} said: {text}"
            for job, text in _SAID.items()
            if not self._said(job, text)
        )
        return Outcome(judged_replayed_platform(stack) + Findings(wrong=unsaid), seconds)

    def _create_again(self) -> None:
        kafka = self._stack.deployment.kafka
        before = topic_id(kafka, USAGE)
        # Kept until the answer is there: a client that nobody holds gives its requests up.
        admin = AdminClient(kafka.client())
        admin.delete_topics([USAGE])[USAGE].result()

        def is_another() -> bool:
            # A sensor may have created it already.
            ensure_topics(kafka, (USAGE,))
            return topic_id(kafka, USAGE) not in (None, before)

        until(is_another)

    def _said(self, job: str, text: str) -> bool:
        instance = self._stack.instance
        return any(
            text in repr(entry)
            for run in instance.get_runs(RunsFilter(job_name=job), limit=10)
            for entry in instance.all_logs(run.run_id)
        )


def _bytes(values: Sequence[bytes | None]) -> list[bytes]:
    return [value or b"" for value in values]
