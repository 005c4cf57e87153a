"""The naive ways that the platform is measured against: the blog's.

A flush a message, a Spark session a batch, a forest refitted an event.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
from confluent_kafka import Producer
from sklearn.ensemble import IsolationForest

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.core.readings.messages import usage_messages

_SESSION_A_BATCH = """
import sys
from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.services.ingest import drain_usage
from usage_platform.adapters.lake.tables import Lake
from usage_platform.adapters.spark.session import own_session
from usage_platform.core.meters import MeterRegistry
with own_session([sys.argv[1]], Lake(sys.argv[2])) as spark:
    drain_usage(spark, Lake(sys.argv[2]), MeterRegistry(), KafkaSettings(sys.argv[3]), "usage")
"""


def flush_a_message(kafka: KafkaSettings, readings: pd.DataFrame) -> float:
    """Readings a second when each message is waited for."""
    producer = Producer(kafka.client())
    began = time.perf_counter()
    for message in usage_messages(readings):
        producer.produce("usage", message)
        producer.flush()
    return len(readings) / (time.perf_counter() - began)


def session_a_batch(kafka: KafkaSettings, lake: str, jars: Path) -> float:
    """Seconds of a batch that brings its own Spark session."""
    # This process's client of Spark Connect has set variables that a session of its own must not
    # see.
    env = {key: value for key, value in os.environ.items() if not key.startswith("SPARK_")}
    command = [sys.executable, "-c", _SESSION_A_BATCH, str(jars), lake, kafka.bootstrap]
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True, env=env)
    return time.perf_counter() - began


def refit_an_event(history: pd.DataFrame, events: pd.DataFrame) -> float:
    """Readings a second when a forest is fitted on the slot's past for each of them."""
    local = history["event_time"].dt.tz_convert("America/New_York")
    began = time.perf_counter()
    locals_of_events = events["event_time"].dt.tz_convert("America/New_York")
    for at, value in zip(locals_of_events, events["value"], strict=True):
        same = (local.dt.weekday == at.weekday()) & (local.dt.time == at.time())
        past = history.loc[same, "value"].to_numpy().reshape(-1, 1)
        forest = IsolationForest(contamination="auto", random_state=42).fit(past)
        forest.predict(np.array([[value]]))
    return len(events) / (time.perf_counter() - began)
