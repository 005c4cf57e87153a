"""A scorer that another one has replaced: its error, in one line.

Belongs here: recognising it. Not here: what is then done (`score_tick`).
"""

from collections.abc import Generator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException

TRANSACTION_TIMEOUT_MS = 60_000
_FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


class ScorerFencedError(RuntimeError):
    """Another scorer has taken over; one line that says what happens to the batch of this one."""

    def __init__(self) -> None:
        super().__init__(
            "another scorer has taken over, or this one stood still for longer than the "
            f"{TRANSACTION_TIMEOUT_MS / 1000:.0f} s of a transaction: the next one scores again "
            "what this one did not commit"
        )


@contextmanager
def fenced_as_own_error() -> Generator[None]:
    """Turn the error of a fenced producer into an error of its own.

    Raises:
        ScorerFencedError: In place of that one; other errors stay as they are.
    """
    try:
        yield
    except KafkaException as error:
        if error.args[0].code() in _FENCED:
            raise ScorerFencedError from None
        raise
