"""`usage-platform status`: services, lag and table sizes."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from confluent_kafka import KafkaException
from rich.console import Group
from rich.table import Table
from rich.text import Text

from usage_platform.adapters.kafka.errors import kafka_error_line
from usage_platform.adapters.kafka.open_transactions import open_transactions
from usage_platform.adapters.kafka.topics import (
    ANOMALY,
    USAGE,
    KafkaSettings,
    KafkaUnreachableError,
)
from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import TABLES
from usage_platform.adapters.spark.address import without_parameters
from usage_platform.console.screen import table
from usage_platform.core.meters import MeterRegistry
from usage_platform.local.broker import JAVA_CLIENT_FILE, LIBRDKAFKA_CLIENT_FILE
from usage_platform.local.ports import port_answers
from usage_platform.local.replies import GRPC, HTTP, server_replies
from usage_platform.local.stack_file import read_live
from usage_platform.services.event_counts import event_counts, reject_counts
from usage_platform.services.progress import Lag, lag_into_lake, lag_of_scoring
from usage_platform.services.topic_progress import EventsDeletedError
from usage_platform.settings.settings import Settings
from usage_platform.wiring.platform import Platform


def status(deployment: Platform, now: pd.Timestamp) -> Group:
    """The state of the platform as tables.

    Args:
        deployment: The services.
        now: The current time, UTC, for the age of open transactions.
    """
    services = _services(deployment.settings, _bootstrap(deployment))
    notices = (*_kafka_access(deployment.settings.data_dir), *_meters_notice(deployment))
    return Group(
        services, *notices, _lags(deployment, now), _tables(deployment), _events(deployment)
    )


def _services(settings: Settings, bootstrap: str) -> Table:
    rows = table("Services", "service", "where", "answers")
    stack = read_live(settings.data_dir)
    spark = settings.spark_remote or (stack.spark_remote if stack else "")
    places = {
        "Kafka": bootstrap,
        "Spark": without_parameters(spark).removeprefix("sc://"),
        **_spark_cluster(stack.spark_cluster if stack else ()),
        "Dagster": (stack.ui_url or "").removeprefix("http://") if stack else "",
        "Page": (stack.page_url or "").removeprefix("http://") if stack else "",
    }
    for name, place in places.items():
        host, _, port = place.partition(":")
        local = host in {"127.0.0.1", "localhost"} and port.isdigit()
        answers = ("yes" if _answers(name, int(port)) else "no") if local else "-"
        rows.add_row(name, place or "not running", answers)
    return rows


def _answers(name: str, port: int) -> bool:
    """Whether a service of this machine answers, by the rule of the supervisor where it has one.

    The system takes connections for a process that hangs.
    """
    if name in ("Kafka", "Spark master"):  # The lag says whether Kafka's clients get an answer.
        return port_answers(port)
    return server_replies(port, GRPC if name == "Spark" else HTTP)


def _spark_cluster(addresses: Sequence[str]) -> dict[str, str]:
    """The master and the workers of Spark by name, where there are some."""
    names = ("Spark master", *(f"Spark worker {n}" for n in range(1, len(addresses))))
    return dict(zip(names, addresses, strict=False))


def _kafka_access(data: Path) -> list[Text]:
    """How other programs connect to the embedded broker."""
    stack = read_live(data)
    if stack is None or not stack.kafka_password:
        return []
    java, librdkafka = (
        data / "kafka" / name for name in (JAVA_CLIENT_FILE, LIBRDKAFKA_CLIENT_FILE)
    )
    return [
        Text(f"Clients of Kafka need the password in {java} (Java) and {librdkafka} (librdkafka)\n")
    ]


def _meters_notice(deployment: Platform) -> list[Text]:
    """What is wrong with people's descriptions of meters."""
    try:
        notice = deployment.meters_notice()
    except LakeError as error:
        notice = str(error)
    return [Text(f"Meters: {notice}\n")] if notice else []


def _bootstrap(deployment: Platform) -> str:
    try:
        return deployment.kafka.bootstrap
    except KafkaUnreachableError:
        return ""


def _lags(deployment: Platform, now: pd.Timestamp) -> Group | Text:
    counts = ("lag, events", "lag, event time")
    rows = table("Lag", "stage", *counts, numbers=counts)
    reader = deployment.reader
    try:
        kafka, registry = deployment.kafka, deployment.registry()
        lags = {
            "usage to the lake": _lag_or_stop(reader, kafka, USAGE, registry),
            "usage to scores": lag_of_scoring(kafka, registry),
            "anomaly to the lake": _lag_or_stop(reader, kafka, ANOMALY, registry),
        }
        held_up = open_transactions(kafka, now)
    except (KafkaUnreachableError, LakeError) as error:
        return Text(f"Lag: {error}\n")
    except KafkaException as error:
        return Text(f"Lag: {kafka_error_line(error)}\n")
    stopped = [lag for lag in lags.values() if isinstance(lag, str)]
    for stage, lag in lags.items():
        if isinstance(lag, str):
            rows.add_row(stage, "stopped", "-")
        else:
            rows.add_row(stage, f"{lag.events:,}", _in_words(lag.event_time))
    transactions = (f"Transaction: {one}" for one in held_up)
    return Group(rows, *(Text(line) for line in (*stopped, *transactions)))


def _lag_or_stop(
    reader: LakeReader, kafka: KafkaSettings, topic: str, registry: MeterRegistry
) -> Lag | str:
    """The lag of a stream into the lake, or why it has stopped."""
    try:
        return lag_into_lake(reader, kafka, topic, registry)
    except EventsDeletedError as error:
        return str(error)


def _in_words(behind: pd.Timedelta | None) -> str:
    return "-" if behind is None else str(behind.floor("s"))


def _tables(deployment: Platform) -> Table | Text:
    try:
        return _states(deployment)
    except LakeError as error:
        return Text(f"Lake: {error}\n")


def _events(deployment: Platform) -> Group | Text:
    """The sum of the ingested events, and the rejects by reason."""
    try:
        rejects = reject_counts(deployment.reader)
        counts = event_counts(deployment.reader, rejects)
    except LakeError as error:
        return Text(f"Events: {error}\n")
    parts = (counts.readings, counts.superseded, counts.rejects)
    readings, superseded, rejected = (f"{part:,}" for part in parts)
    total = Text(
        f"Events: {counts.events:,} ingested = {readings} readings + {superseded} superseded + "
        f"{rejected} rejects\n"
    )
    if not rejects:
        return Group(total)
    numbers = ("last day", "all")
    rows = table("Rejects", "topic", "reason", *numbers, numbers=numbers)
    for one in rejects:
        rows.add_row(one.topic, one.reason, f"{one.recent:,}", f"{one.count:,}")
    return Group(total, rows)


def _states(deployment: Platform) -> Table:
    rows = table("Lake", "table", "rows", "files", "version", numbers=("rows", "files"))
    for known in TABLES:
        state = deployment.reader.state(known)
        if state.version < 0:
            rows.add_row(known.name, "-", "-", "not created yet")
        else:
            rows.add_row(known.name, f"{state.rows:,}", f"{state.files:,}", f"{state.version}")
    # Asked for within the handler: a store on S3 looks for its bucket when it is made.
    manifests = deployment.models.manifests()
    if manifests:
        newest = manifests[-1]
        learning = f", {newest.meters_learning} of {newest.meters} meters learning"
        known = f"{newest.slots_trained:,} slots"
        rows.add_row(
            "model", known + (learning if newest.meters_learning else ""), "", newest.version
        )
    return rows
