"""Sends random messages to all topics for a while; exits with 1 at the first that does harm."""

import os
import sys
import tempfile
import time
import traceback
from contextlib import ExitStack
from pathlib import Path

import click
from hypothesis import given, seed, settings
from hypothesis import strategies as st

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.adapters.lake.tables import Lake
from usage_platform.local.broker import broker_service
from usage_platform.local.ports import free_port
from usage_platform.local.process import ChildProcess
from usage_platform.local.stack import set_up
from usage_platform.settings.settings import Settings
from usage_platform_tests.tools.fuzz.random_messages import MESSAGES, SLOW, Sent
from usage_platform_tests.tools.fuzz.readers import Readers
from usage_platform_tests.topics import renew_topics

_ROUNDS = 20


@click.command()
@click.option("--minutes", default=5.0, show_default=True, help="How long to send.")
@click.option("--seed", "first", default=0, show_default=True, help="The first seed.")
def main(minutes: float, first: int) -> None:
    """Fuzz the readers of the topics."""
    java, jars = set_up(Settings.from_env(), print, lambda line: None)
    ends, number, sent = time.monotonic() + minutes * 60, first, 0
    with tempfile.TemporaryDirectory(prefix="usage-fuzz-") as folder, ExitStack() as stack:
        port = free_port(19392, "fuzz", print)
        other = free_port(19393, "fuzz", print, [port])
        child = ChildProcess(
            broker_service(java, jars.kafka, Path(folder), os.environ, port, other)
        )
        child.start()
        stack.callback(child.stop)
        child.wait_ready(print)
        kafka = KafkaSettings(f"127.0.0.1:{port}")
        while time.monotonic() < ends:
            # Otherwise each round reads the messages of all rounds before it.
            renew_topics(kafka)
            readers = Readers(kafka, Lake(f"{folder}/lake-{number}"))

            try:
                sent += _play(readers, number)
            except Exception:
                traceback.print_exc()
                print(f"seed {number}: run again with --seed {number}")
                sys.exit(1)
            number += 1
            print(f"{sent:,} messages, seeds {first} to {number - 1}: nothing lost", flush=True)


def _play(readers: Readers, number: int) -> int:
    """Send the messages of a seed, and have all read them; returns how many were sent."""
    sent = 0

    @seed(number)
    @settings(max_examples=_ROUNDS, deadline=None, database=None, suppress_health_check=SLOW)
    @given(st.lists(MESSAGES, min_size=20, max_size=100))
    def play(messages: list[Sent]) -> None:
        nonlocal sent
        sent += len(messages)
        readers.read(messages)

    play()
    return sent


if __name__ == "__main__":
    main()
