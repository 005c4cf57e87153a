"""What nothing on this machine can be faster than: the same messages and rows, without the work.

Belongs here: producing, consuming and appending, as plainly as the libraries allow.
"""

import time

import pandas as pd
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from deltalake import write_deltalake

from usage_platform.adapters.kafka.topics import USAGE, KafkaSettings, end_offsets
from usage_platform.adapters.lake.delta_tables import open_table
from usage_platform.adapters.lake.tables import READINGS, Lake
from usage_platform.core.readings.messages import usage_messages
from usage_platform_tests.tools.bench.workbench import Workbench

_PORTION = 10_000
_WAIT_SECONDS = 1.0


def produce_a_second(kafka: KafkaSettings, readings: pd.DataFrame) -> float:
    """Messages a second that are ready before the clock starts, without keys and headers."""
    messages = list(usage_messages(readings))
    settings = {"linger.ms": 50, "compression.type": "lz4", "acks": "all"}
    producer = Producer(kafka.client(**settings, **{"queue.buffering.max.messages": 500_000}))
    began = time.perf_counter()
    for message in messages:
        try:
            producer.produce(USAGE, message)
        except BufferError:
            producer.poll(0.1)
            producer.produce(USAGE, message)
    producer.flush()
    return len(messages) / (time.perf_counter() - began)


def consume_a_second(kafka: KafkaSettings) -> float:
    """Messages a second of the topic `usage` from its start to its end, none of them read."""
    ends = end_offsets(kafka, USAGE)
    consumer = Consumer(kafka.client(**{"group.id": "bench", "enable.auto.commit": False}))
    consumer.assign([TopicPartition(USAGE, partition, OFFSET_BEGINNING) for partition in ends])
    wanted, seen = sum(end - begin for begin, end in ends.values()), 0
    began = time.perf_counter()
    while seen < wanted:
        seen += len(consumer.consume(min(_PORTION, wanted - seen), _WAIT_SECONDS))
    seconds = time.perf_counter() - began
    consumer.close()
    return wanted / seconds


def append_a_second(lake: Lake, bench: Workbench) -> float:
    """Rows a second of the table `readings`, in memory already, into a new table like it."""
    rows = open_table(lake, READINGS).to_pyarrow_table()
    began = time.perf_counter()
    write_deltalake(str(bench.new_folder()), rows, partition_by=[READINGS.partition])
    return rows.num_rows / (time.perf_counter() - began)
