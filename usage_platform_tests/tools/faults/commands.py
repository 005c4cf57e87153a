"""The platform's commands on the services of the rounds."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from usage_platform.adapters.kafka.topics import KafkaSettings
from usage_platform.settings.settings import PREFIX


def command(folder: Path, *args: str) -> tuple[str, ...]:
    """The words of a command on a data folder."""
    return (str(Path(sys.executable).parent / "usage-platform"), "--data", str(folder), *args)


def environment(kafka: KafkaSettings, **settings: str) -> Mapping[str, str]:
    """The environment of a command that reaches the brokers; `settings` become `USAGE_*`."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    given = {"kafka_bootstrap": kafka.bootstrap, **settings}
    return env | {f"{PREFIX}{name.upper()}": value for name, value in given.items()}
