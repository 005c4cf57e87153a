"""What runs, how far behind it is, and what the tables hold."""

import pandas as pd
from rich.console import Group
from rich.table import Table

from usage_platform.adapters.kafka_topics import ANOMALY, USAGE, KafkaUnreachableError
from usage_platform.adapters.lake_tables import READINGS, TABLES
from usage_platform.adapters.scoring import scoring_lag
from usage_platform.adapters.stream_progress import ingestion_lag
from usage_platform.deployment import Deployment
from usage_platform.local.ports import port_answers
from usage_platform.local.stack_file import read_live


def status(deployment: Deployment, now: pd.Timestamp) -> Group:
    """The state of the platform as tables.

    Args:
        deployment: The services.
        now: The present instant, UTC, for the lag in event time.
    """
    return Group(_services(deployment), _lags(deployment, now), _tables(deployment))


def _services(deployment: Deployment) -> Table:
    table = Table("service", "where", "answers", title="services")
    stack = read_live(deployment.settings.data_dir)
    spark = deployment.settings.spark_remote or (stack.spark_remote if stack else "")
    places = {
        "Kafka": deployment.kafka.bootstrap,
        "Spark": spark.removeprefix("sc://"),
        "Dagster": (stack.ui_url or "").removeprefix("http://") if stack else "",
    }
    for name, place in places.items():
        host, _, port = place.partition(":")
        local = host in {"127.0.0.1", "localhost"} and port.isdigit()
        answers = ("yes" if port_answers(int(port)) else "no") if local else "-"
        table.add_row(name, place or "not running", answers)
    return table


def _lags(deployment: Deployment, now: pd.Timestamp) -> Table:
    table = Table("stage", "events behind", "event time behind", title="lag")
    try:
        ingestion = ingestion_lag(deployment.lake, deployment.kafka, USAGE)
        scoring = scoring_lag(deployment.kafka)
        anomalies = ingestion_lag(deployment.lake, deployment.kafka, ANOMALY)
    except KafkaUnreachableError as error:
        table.add_row(str(error), "", "")
        return table
    behind = "-"
    if deployment.reader.exists(READINGS):
        newest = deployment.reader.rows(READINGS, ["event_time"])["event_time"].max()
        behind = "-" if pd.isna(newest) else str((now - newest).floor("min"))
    table.add_row("usage to the lake", f"{ingestion:,}", behind)
    table.add_row("usage to scores", f"{scoring:,}", "")
    table.add_row("anomaly to the lake", f"{anomalies:,}", "")
    return table


def _tables(deployment: Deployment) -> Table:
    table = Table("table", "rows", "files", "Delta version", title="lake")
    for known in TABLES:
        state = deployment.reader.state(known)
        if state.version < 0:
            table.add_row(known.name, "-", "-", "not made yet")
        else:
            table.add_row(known.name, f"{state.rows:,}", f"{state.files:,}", f"{state.version}")
    manifests = deployment.models.manifests()
    if manifests:
        newest = manifests[-1]
        table.add_row("model", f"{newest.slots_trained:,} slots", "", newest.version)
    return table
