"""The demo: plays a source through the whole platform and waits until all of it has flowed.

Belongs here: watching and the end's summary. Everything is done by Dagster's sensors; this only
looks.
"""

import time
from dataclasses import dataclass

import pandas as pd
from confluent_kafka import KafkaException
from dagster import DagsterInstance, DagsterRunStatus, RunsFilter
from rich.table import Table

from usage_platform.adapters.kafka_topics import ANOMALY, USAGE, KafkaUnreachableError, end_offsets
from usage_platform.adapters.lake_tables import ANOMALIES, READINGS, REJECTS, USAGE_HOURLY
from usage_platform.adapters.scoring import scoring_lag
from usage_platform.adapters.stream_progress import ingestion_lag
from usage_platform.console.screen import Screen
from usage_platform.core.anomalies import ANOMALY_COLUMNS, Scored, find_anomalies
from usage_platform.core.quality import compare_anomalies, compare_hours
from usage_platform.deployment import Deployment
from usage_platform.local.stack import Stack

_LOOK_EVERY_SECONDS = 1.0
_IN_FLIGHT = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.NOT_STARTED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
]


@dataclass(frozen=True)
class Flow:
    """How far the readings have come.

    Attributes:
        source: Readings to play; None until the source is loaded.
        on_topic: Events on the topic `usage`.
        ingestion_lag: Events that are not in the lake yet.
        has_model: Whether there is a model.
        needs_model: Whether the readings are enough to train one.
        scoring_lag: Events that were not scored yet.
        anomaly_lag: Anomalies that are not in the lake yet.
    """

    source: int | None
    on_topic: int
    ingestion_lag: int
    has_model: bool
    needs_model: bool
    scoring_lag: int
    anomaly_lag: int

    @property
    def finished(self) -> bool:
        """Whether everything has flowed."""
        if self.source is None or self.on_topic < self.source or self.ingestion_lag:
            return False
        if not self.has_model:
            return not self.needs_model
        return not self.scoring_lag and not self.anomaly_lag

    def __str__(self) -> str:
        if self.source is None:
            return "loading the source"
        played = f"played {min(self.on_topic, self.source):,} of {self.source:,}"
        ingested = f"in the lake {max(self.on_topic - self.ingestion_lag, 0):,}"
        if not self.has_model:
            scored = "training the slot forests" if self.needs_model else "no model yet"
        else:
            scored = f"scored {max(self.on_topic - self.scoring_lag, 0):,}"
        return (
            f"{played} · {ingested} · {scored} · anomalies to the lake: {self.anomaly_lag:,} left"
        )


def look(deployment: Deployment) -> Flow:
    """How far the readings have come, by the topics, the checkpoints and the tables."""
    kafka, lake = deployment.kafka, deployment.lake
    summary = deployment.source_cache.summary()
    loaded = summary is not None and summary.source == deployment.settings.source_label
    readings = deployment.source_cache.readings() if loaded else None
    days = deployment.settings.first_model_days
    needs_model = False
    total = None
    if readings is not None:
        limit = deployment.settings.max_iterations
        total = len(readings) if limit is None else min(limit, len(readings))
        local = readings["ts"].dt.tz_convert(deployment.settings.timezone).dt.date
        needs_model = bool(len(local)) and (local.max() - local.min()).days >= days
    ends = end_offsets(kafka, USAGE)
    return Flow(
        source=total,
        on_topic=sum(end for _, end in ends.values()),
        ingestion_lag=ingestion_lag(lake, kafka, USAGE),
        has_model=bool(deployment.models.manifests()),
        needs_model=needs_model,
        scoring_lag=scoring_lag(kafka),
        anomaly_lag=ingestion_lag(lake, kafka, ANOMALY),
    )


def run_demo(stack: Stack, screen: Screen, timeout: float) -> bool:
    """Wait until everything has flowed, then print what came of it.

    Args:
        stack: The running platform.
        screen: Where to print.
        timeout: Seconds to wait at most.

    Returns:
        Whether all that should be there is there.
    """
    deployment = Deployment(stack.settings)
    started = time.monotonic()
    screen.say(f"Dagster shows what happens at {stack.ui_url}")
    flow = _wait(deployment, stack, screen, started + timeout)
    if flow is None or not flow.finished:
        screen.say(
            f"not finished after {timeout:.0f} s: {flow or 'Kafka does not answer'}; "
            f"see {stack.settings.data_dir / 'logs'} and the runs at {stack.ui_url}"
        )
        return False
    screen.say(f"all of it has flowed after {time.monotonic() - started:.0f} s")
    return _summarize(deployment, screen)


def _wait(deployment: Deployment, stack: Stack, screen: Screen, deadline: float) -> Flow | None:
    flow = None
    while time.monotonic() < deadline:
        stack.look()
        try:
            flow = look(deployment)
        except (KafkaUnreachableError, KafkaException):
            screen.progress("waiting for Kafka")
        else:
            screen.progress(str(flow))
            if flow.finished and not _runs_in_flight(stack):
                break
        time.sleep(_LOOK_EVERY_SECONDS)
    screen.quiet()
    return flow


def _runs_in_flight(stack: Stack) -> bool:
    """Whether Dagster still works on something; stopping it then would be a failed run."""
    home = stack.settings.data_dir / "dagster_home"
    with DagsterInstance.from_config(str(home)) as instance:
        return bool(instance.get_runs(RunsFilter(statuses=_IN_FLIGHT), limit=1))


def _summarize(deployment: Deployment, screen: Screen) -> bool:
    reader, registry = deployment.reader, deployment.registry()
    summary = deployment.source_cache.summary()
    assert summary is not None  # noqa: S101 - the flow has finished
    played = deployment.source_cache.readings()
    if deployment.settings.max_iterations is not None:
        played = played.iloc[: deployment.settings.max_iterations]
    readings = reader.rows(READINGS, ["meter", "event_time", "value"])
    own = readings[readings["meter"].isin(summary.last)]
    hours = reader.rows(USAGE_HOURLY)
    compared = compare_hours(hours, readings, registry)
    manifests = deployment.models.manifests()
    table = reader.rows(ANOMALIES)
    scored = find_anomalies(readings, manifests, deployment.models.load)
    told = compare_anomalies(table[ANOMALY_COLUMNS], scored.anomalies)

    rows = Table("what", "how many", "as it should be", title="what came of it")
    right = [
        _row(rows, "readings played", len(played), None),
        _row(rows, "rows of the source that could not be read", summary.bad_rows, None),
        _row(rows, "in readings", len(own), len(own) == len(played)),
        _row(rows, "rejected", reader.state(REJECTS).rows, None),
        _row(rows, "hours in usage_hourly", len(hours), compared.wrong == 0),
        _row(rows, "slots trained", sum(m.slots_trained for m in manifests[-1:]), None),
        _row(rows, "slots too thin", sum(m.slots_thin for m in manifests[-1:]), None),
        _row(rows, "events scored", scored.scored, None),
        _row(rows, "events to learn from, not scored", scored.learning, None),
        _row(rows, "anomalies", len(table), told.wrong == 0),
    ]
    screen.console.print(rows)
    faults = deployment.source_cache.faults()
    if len(faults) and manifests:
        _print_faults(screen, faults, table, manifests[0].judges_from, scored)
    screen.say(f'ask more: usage-platform --data {deployment.settings.data} query "SELECT ..."')
    return all(right)


def _row(rows: Table, what: str, count: int, is_right: bool | None) -> bool:
    verdict = {None: "", True: "yes", False: "NO"}[is_right]
    rows.add_row(what, f"{count:,}", verdict)
    return is_right is not False


def _print_faults(
    screen: Screen,
    faults: pd.DataFrame,
    anomalies: pd.DataFrame,
    judged_from: pd.Timestamp,
    scored: Scored,
) -> None:
    rows = Table("fault", "meter", "from", "size", "found", "after", title="injected faults")
    found_count = judged = 0
    inside = pd.Series(False, index=anomalies.index)
    for fault in faults.itertuples():
        own = anomalies["meter"].eq(fault.meter) & anomalies["event_time"].between(
            fault.start, fault.end, inclusive="left"
        )
        inside |= own
        when = anomalies.loc[own, "event_time"].min()
        if fault.end <= judged_from:
            found, after = "learned from", ""
        else:
            judged += 1
            found_count += bool(own.any())
            found = "found" if own.any() else "missed"
            after = f"{(when - fault.start) / pd.Timedelta(minutes=1):.0f} min" if own.any() else ""
        start = f"{fault.start:%Y-%m-%d %H:%M}Z"
        rows.add_row(fault.kind, fault.meter, start, fault.detail, found, after)
    screen.console.print(rows)
    outside = int((~inside).sum())
    share = outside / max(scored.scored, 1)
    screen.say(
        f"{found_count} of {judged} judged faults found; {outside:,} anomalies lie outside every "
        f"fault ({share:.1%} of the readings scored)"
    )
