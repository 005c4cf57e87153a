"""The result of one tick of averaging samples, for logs and for the asset's metadata."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
from confluent_kafka import Message

_EXAMPLES = 20


@dataclass
class SampleTick:
    """The result of one tick, over all its batches.

    Attributes:
        messages: Messages consumed.
        readings: Readings published on `usage`, corrected ones included.
        rejected: Messages that are no samples, by the code of the reason.
        examples: The first of these, a line each with place and reason.
        newest: The start of the newest published reading; None without any.
        is_caught_up: Whether all messages were consumed that were there at the start.
        seconds: Duration of the tick.
        notices: What a person should know of the tick, a line each.
    """

    messages: int = 0
    readings: int = 0
    rejected: Counter[str] = field(default_factory=Counter[str])
    examples: list[str] = field(default_factory=list[str])
    newest: pd.Timestamp | None = None
    is_caught_up: bool = False
    seconds: float = 0.0
    notices: tuple[str, ...] = ()

    def add_rejects(self, rejects: Sequence[tuple[Message, str]]) -> None:
        """Count messages with the reasons why they are no samples."""
        for message, reason in rejects:
            self.rejected[reason.partition(":")[0]] += 1
            if len(self.examples) < _EXAMPLES:
                self.examples.append(f"{place_of(message)}: {reason}")

    def add_readings(self, readings: pd.DataFrame) -> None:
        """Count published readings: `ts` and other columns."""
        self.readings += len(readings)
        if len(readings):
            newest = readings["ts"].max()
            self.newest = newest if self.newest is None else max(self.newest, newest)


def place_of(message: Message) -> str:
    """Where a message is, for people."""
    return f"{message.topic()} partition {message.partition()} offset {message.offset()}"
