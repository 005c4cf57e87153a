"""`usage-platform demo`: run a source through the pipeline and wait until it is finished.

Belongs here: monitoring the progress. All work is done by Dagster's sensors. Not here: the summary
(`demo_summary`).
"""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from confluent_kafka import KafkaException

from usage_platform.adapters.kafka.topics import ANOMALY, USAGE, KafkaUnreachableError, end_offsets
from usage_platform.console.demo_jobs import compute_costs_and_findings
from usage_platform.console.demo_summary import summarize
from usage_platform.console.runs import any_in_flight, why_it_failed
from usage_platform.console.screen import Screen, shown_path
from usage_platform.console.site_files import write_site_files
from usage_platform.console.site_summary import summarize_site
from usage_platform.core.generator.site_plan import DAYS
from usage_platform.core.generator.site_truth import lasting_spans
from usage_platform.core.readings.source import SourceError
from usage_platform.local.stack import Stack
from usage_platform.services.due_models import due_models
from usage_platform.services.progress import ingestion_lag, scoring_lag
from usage_platform.settings.value_types import GENERATED_SITE
from usage_platform.wiring.groups import sums_behind
from usage_platform.wiring.platform import Platform

_LOOK_EVERY_SECONDS = 1.0
_LONGEST_BETWEEN_SECONDS = 10.0


@dataclass(frozen=True)
class Flow:
    """Progress of the readings through the pipeline.

    Attributes:
        source: Number of readings to play; None until the source is loaded.
        on_topic: Events on the topic `usage`.
        ingestion_lag: Events not yet ingested into the lake.
        has_model: Whether a model exists.
        models_due: Weekly models that can be trained from the readings but are not trained yet.
        scoring_lag: Events not yet scored.
        anomaly_lag: Anomalies not yet ingested into the lake.
        sums_behind: Versions of the readings that are not in the sums of groups yet.
    """

    source: int | None
    on_topic: int
    ingestion_lag: int
    has_model: bool
    models_due: int
    scoring_lag: int
    anomaly_lag: int
    sums_behind: int = 0

    @property
    def finished(self) -> bool:
        """Whether every reading is played, ingested and scored."""
        if self.source is None or self.on_topic < self.source or self.ingestion_lag:
            return False
        if not self.has_model or self.models_due:
            return False
        return not self.scoring_lag and not self.anomaly_lag and not self.sums_behind

    def __str__(self) -> str:
        if self.source is None:
            return "loading the source"
        played = f"played {min(self.on_topic, self.source):,} of {self.source:,}"
        ingested = f"ingested {max(self.on_topic - self.ingestion_lag, 0):,}"
        if not self.has_model:
            scored = "no model yet"
        else:
            scored = f"scored {max(self.on_topic - self.scoring_lag, 0):,}"
        if self.models_due:
            scored += f", {self.models_due} models to train"
        return f"{played} · {ingested} · {scored} · anomalies to ingest: {self.anomaly_lag:,}"


def look(deployment: Platform) -> Flow:
    """Read the progress from topics, checkpoints and tables."""
    kafka, lake = deployment.kafka, deployment.lake
    plan, models = deployment.playback_plan(), deployment.models
    ends = end_offsets(kafka, USAGE)
    return Flow(
        source=plan.count() if plan.is_loaded else None,
        on_topic=sum(end for _, end in ends.values()),
        ingestion_lag=ingestion_lag(lake, kafka, USAGE),
        has_model=bool(models.manifests()),
        models_due=len(due_models(deployment.reader, models, deployment.settings.timezone)),
        scoring_lag=scoring_lag(kafka),
        anomaly_lag=ingestion_lag(lake, kafka, ANOMALY),
        sums_behind=sums_behind(deployment, time.time()),
    )


def run_demo(stack: Stack, screen: Screen, timeout: float) -> bool:
    """Wait until the pipeline is finished, then print a summary.

    Args:
        stack: The running platform.
        screen: Where to print.
        timeout: Maximum wait in seconds.

    Returns:
        Whether the pipeline finished and every check of the summary passed.

    Raises:
        SourceError: When the source cannot be loaded.
    """
    deployment = Platform(stack.settings)
    started = time.monotonic()
    screen.say(f"Dagster: {stack.ui_url}")
    if deployment.settings.source == GENERATED_SITE and not deployment.settings.lake:
        write_site_files(deployment.assets, screen.say)
    if notice := deployment.meters_notice():
        screen.say(notice)
    flow = _wait(deployment, stack, screen, started + timeout)
    if flow is None or not flow.finished:
        screen.say(
            f"not finished after {timeout:.0f} s: {flow or 'Kafka does not answer'}; "
            f"see {shown_path(stack.settings.data_dir / 'logs')} and the runs at {stack.ui_url}"
        )
        return False
    is_site = deployment.settings.source == GENERATED_SITE
    is_computed = not is_site or compute_costs_and_findings(
        deployment, stack, screen, started + timeout
    )
    screen.say(f"finished after {time.monotonic() - started:.0f} s")
    is_right = summarize(deployment, screen, lasting_spans(DAYS) if is_site else None)
    if is_site and is_computed:
        summarize_site(deployment, screen)
    command = f"usage-platform --data {shown_path(deployment.settings.data_dir)}"
    screen.say(f"next: {command} up" if is_site else f'next: {command} query "SELECT ..."')
    return is_computed and is_right


def _wait(deployment: Platform, stack: Stack, screen: Screen, deadline: float) -> Flow | None:
    flow: Flow | None = None
    home, since = stack.settings.data_dir / "dagster_home", datetime.now(UTC)
    next_look = 0.0
    while time.monotonic() < deadline:
        stack.look()
        began = time.monotonic()
        seen = _seen(deployment, screen) if began >= next_look else None
        if seen is not None:
            flow = seen
            # A look at many meters and years takes a while: it gets a tenth of the time.
            next_look = began + min(10 * (time.monotonic() - began), _LONGEST_BETWEEN_SECONDS)
            if flow.finished and not any_in_flight(home):
                break
            if flow.source is None:
                _raise_if_source_failed(home, since)
        time.sleep(_LOOK_EVERY_SECONDS)
    screen.quiet()
    return flow


def _seen(deployment: Platform, screen: Screen) -> Flow | None:
    """How far everything is, which is shown; None while Kafka does not answer."""
    try:
        flow = look(deployment)
    except (KafkaUnreachableError, KafkaException):
        screen.progress("waiting for Kafka")
        return None
    screen.progress(str(flow))
    return flow


def _raise_if_source_failed(home: Path, since: datetime) -> None:
    why = why_it_failed(home, "playback", "source_readings", since)
    if why is not None:
        raise SourceError(why)
