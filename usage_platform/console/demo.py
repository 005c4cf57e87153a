"""The demo: plays a source through the whole platform and waits until all of it has flowed.

Belongs here: watching and the end's summary. Everything is done by Dagster's sensors; this only
looks.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from confluent_kafka import KafkaException
from rich.table import Table

from usage_platform.adapters.kafka_topics import ANOMALY, USAGE, KafkaUnreachableError, end_offsets
from usage_platform.adapters.lake_tables import READINGS, REJECTS, USAGE_HOURLY
from usage_platform.adapters.rescoring import standing
from usage_platform.adapters.stream_progress import ingestion_lag, scoring_lag
from usage_platform.adapters.training import reading_days
from usage_platform.console.runs import any_in_flight, why_it_failed
from usage_platform.console.screen import Screen, shown_path, table
from usage_platform.core.anomalies import Scored, find_anomalies
from usage_platform.core.model import Manifest
from usage_platform.core.quality import compare_anomalies, compare_hours
from usage_platform.core.source_readings import SourceError
from usage_platform.core.training_days import due
from usage_platform.deployment import Deployment
from usage_platform.local.stack import Stack

_LOOK_EVERY_SECONDS = 1.0


@dataclass(frozen=True)
class Flow:
    """How far the readings have come.

    Attributes:
        source: Readings to play; None until the source is loaded.
        on_topic: Events on the topic `usage`.
        ingestion_lag: Events that are not in the lake yet.
        has_model: Whether there is a model.
        models_due: Weekly models that the readings allow and that are not there yet.
        scoring_lag: Events that were not scored yet.
        anomaly_lag: Anomalies that are not in the lake yet.
    """

    source: int | None
    on_topic: int
    ingestion_lag: int
    has_model: bool
    models_due: int
    scoring_lag: int
    anomaly_lag: int

    @property
    def finished(self) -> bool:
        """Whether everything has flowed."""
        if self.source is None or self.on_topic < self.source or self.ingestion_lag:
            return False
        if not self.has_model or self.models_due:
            return False
        return not self.scoring_lag and not self.anomaly_lag

    def __str__(self) -> str:
        if self.source is None:
            return "loading the source"
        played = f"played {min(self.on_topic, self.source):,} of {self.source:,}"
        ingested = f"in the lake {max(self.on_topic - self.ingestion_lag, 0):,}"
        if not self.has_model:
            scored = "no model yet"
        else:
            scored = f"scored {max(self.on_topic - self.scoring_lag, 0):,}"
        if self.models_due:
            scored += f", {self.models_due} models to train"
        return (
            f"{played} · {ingested} · {scored} · anomalies to the lake: {self.anomaly_lag:,} left"
        )


def look(deployment: Deployment) -> Flow:
    """How far the readings have come, by the topics, the checkpoints and the tables."""
    kafka, lake = deployment.kafka, deployment.lake
    summary = deployment.source_cache.summary()
    loaded = summary is not None and summary.source == deployment.source_label
    times = deployment.readings_to_play()["ts"] if loaded else None
    ends = end_offsets(kafka, USAGE)
    return Flow(
        source=None if times is None else len(times),
        on_topic=sum(end for _, end in ends.values()),
        ingestion_lag=ingestion_lag(lake, kafka, USAGE),
        has_model=bool(deployment.models.manifests()),
        models_due=_models_due(deployment),
        scoring_lag=scoring_lag(kafka),
        anomaly_lag=ingestion_lag(lake, kafka, ANOMALY),
    )


def _models_due(deployment: Deployment) -> int:
    days = reading_days(deployment.reader, deployment.settings.timezone)
    trained = deployment.models.newest_end(deployment.settings.timezone)
    return 0 if days is None else len(due(*days, trained))


def run_demo(stack: Stack, screen: Screen, timeout: float) -> bool:
    """Wait until everything has flowed, then print what came of it.

    Args:
        stack: The running platform.
        screen: Where to print.
        timeout: Seconds to wait at most.

    Returns:
        Whether all that should be there is there.

    Raises:
        SourceError: When the source cannot be loaded.
    """
    deployment = Deployment(stack.settings)
    started = time.monotonic()
    screen.say(f"Dagster shows what happens at {stack.ui_url}")
    flow = _wait(deployment, stack, screen, started + timeout)
    if flow is None or not flow.finished:
        screen.say(
            f"not finished after {timeout:.0f} s: {flow or 'Kafka does not answer'}; "
            f"see {shown_path(stack.settings.data_dir / 'logs')} and the runs at {stack.ui_url}"
        )
        return False
    screen.say(f"all of it has flowed after {time.monotonic() - started:.0f} s")
    return _summarize(deployment, screen)


def _wait(deployment: Deployment, stack: Stack, screen: Screen, deadline: float) -> Flow | None:
    flow = None
    home, since = stack.settings.data_dir / "dagster_home", datetime.now(UTC)
    while time.monotonic() < deadline:
        stack.look()
        try:
            flow = look(deployment)
        except (KafkaUnreachableError, KafkaException):
            screen.progress("waiting for Kafka")
        else:
            screen.progress(str(flow))
            if flow.finished and not any_in_flight(home):
                break
            if flow.source is None:
                _raise_if_source_failed(home, since)
        time.sleep(_LOOK_EVERY_SECONDS)
    screen.quiet()
    return flow


def _raise_if_source_failed(home: Path, since: datetime) -> None:
    why = why_it_failed(home, "playback", "source_readings", since)
    if why is not None:
        raise SourceError(why)


def _summarize(deployment: Deployment, screen: Screen) -> bool:
    reader, registry = deployment.reader, deployment.registry()
    summary = deployment.source_cache.summary()
    assert summary is not None  # noqa: S101 - the flow has finished
    played = deployment.readings_to_play()
    readings = reader.rows(READINGS, ["meter", "event_time", "value"])
    # The tables may hold more: other sources' readings, and what people sent by hand.
    own = played.merge(readings.rename(columns={"event_time": "ts"}))
    hours = reader.rows(USAGE_HOURLY)
    compared = compare_hours(hours, readings, registry)
    judges = deployment.judges()
    manifests = judges.manifests
    anomalies = standing(reader)
    scored = find_anomalies(readings, judges, registry)
    told = compare_anomalies(anomalies, scored.anomalies)

    rows = table("What came of it", "", "how many", "as it should be", numbers=("how many",))
    right = [
        _row(rows, "readings played", len(played), None),
        _row(rows, "rows of the source that could not be read", summary.bad_rows, None),
        _row(rows, "in readings", len(own), len(own) == len(played)),
        _row(rows, "rejected", reader.state(REJECTS).rows, None),
        _row(rows, "hours in usage_hourly", len(hours), compared.wrong == 0),
        _row(rows, "slots trained", sum(m.slots_trained for m in manifests[-1:]), None),
        _row(rows, "slots too thin", sum(m.slots_thin for m in manifests[-1:]), None),
        _row(rows, "events scored", scored.scored, None),
        _row(rows, "events before there is history to judge by", scored.learning, None),
        _row(rows, "models trained", len(manifests), None),
        _row(rows, "anomalies", len(anomalies), told.wrong == 0),
        _row(rows, "episodes of anomalies", _episodes(anomalies), None),
    ]
    screen.console.print(rows)
    faults = deployment.source_cache.faults()
    if len(faults) and manifests:
        _print_faults(screen, faults, anomalies, _judged_by_more_than_rules(manifests), scored)
    folder = shown_path(deployment.settings.data_dir)
    screen.say(f'ask more: usage-platform --data {folder} query "SELECT ..."')
    return all(right)


def _judged_by_more_than_rules(manifests: Sequence[Manifest]) -> pd.Timestamp:
    """From when on a model judged that knew what to expect; the end of time if none did."""
    knowing = (m.begin for m in manifests if m.meters_learning < m.meters)
    return next(knowing, pd.Timestamp.max.tz_localize("UTC"))


def _episodes(anomalies: pd.DataFrame) -> int:
    return len(anomalies[["meter", "episode"]].drop_duplicates())


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
    # A column that says the same in each row would leave too little room for the others.
    only = faults["meter"].iloc[0] if faults["meter"].nunique() == 1 else None
    title = "Injected faults" if only is None else f"Injected faults of {only}"
    columns = ("fault", *(["meter"] if only is None else []), "from (UTC)", "size", "", "after")
    rows = table(title, *columns, numbers=("size", "after"))
    found_count = judged = 0
    inside = pd.Series(False, index=anomalies.index)
    for fault in faults.to_dict("records"):
        own = anomalies["meter"].eq(fault["meter"]) & anomalies["event_time"].between(
            fault["start"], fault["end"], inclusive="left"
        )
        inside |= own
        found, after = "missed", ""
        if fault["end"] <= judged_from:
            found = "learned"
        else:
            judged += 1
            if own.any():
                found_count += 1
                waited = anomalies.loc[own, "event_time"].min() - fault["start"]
                found, after = "found", f"{waited / pd.Timedelta(minutes=1):,.0f} min"
        start = f"{fault['start']:%Y-%m-%d %H:%M}"
        meter = [fault["meter"]] if only is None else []
        rows.add_row(fault["kind"], *meter, start, fault["detail"], found, after)
    screen.console.print(rows, markup=False)
    outside = int((~inside).sum())
    share = outside / max(scored.scored, 1)
    screen.say(
        f"{found_count} of {judged} judged faults found; {outside:,} anomalies lie outside every "
        f"fault ({share:.1%} of the readings scored)"
    )
