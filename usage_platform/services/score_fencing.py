"""What transactional stages have in common, and the error of one that another has replaced.

Belongs here: their clients, recognising that error. Not here: what is then done
(`score_tick`).
"""

import logging
from collections.abc import Generator
from contextlib import contextmanager

from confluent_kafka import KafkaError, KafkaException, Producer

from usage_platform.adapters.kafka.topics import KafkaSettings

TRANSACTION_TIMEOUT_MS = 60_000
# A restarted broker is missing from the cluster for a short time. librdkafka then looks up the
# group coordinator again only when a connection changes (confluentinc/librdkafka#5511), such as one
# that is closed when idle.
_TRANSACTIONAL = {
    "compression.type": "lz4",
    "linger.ms": 5,
    "connections.max.idle.ms": 5_000,
}

COMMITTED = {
    "enable.auto.commit": False,
    # Markers of transactions are no messages: only ends tell that there is nothing but them.
    "enable.partition.eof": True,
    "isolation.level": "read_committed",
    "auto.offset.reset": "earliest",
    "fetch.wait.max.ms": 100,
}
"""Settings of a consumer whose offsets are committed in a transaction, besides its group."""

_ABORT_SECONDS = 10.0
_FENCED = (KafkaError._FENCED, KafkaError.PRODUCER_FENCED, KafkaError.INVALID_PRODUCER_EPOCH)


def transactional_producer(kafka: KafkaSettings, transactional_id: str) -> Producer:
    """A producer whose transactions are those of an id; `init_transactions` takes the id over."""
    return Producer(
        kafka.client(
            **{
                "transactional.id": transactional_id,
                "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
                **_TRANSACTIONAL,
            }
        ),
        # A fatal error is raised by the failing call and need not be logged as well.
        logger=logging.Logger(__name__, logging.CRITICAL + 1),
    )


class ScorerFencedError(RuntimeError):
    """Another scorer has taken over; one line that says what happens to the batch of this one."""

    def __init__(self) -> None:
        super().__init__(
            "another scorer has taken over, or this one stood still for longer than the "
            f"{TRANSACTION_TIMEOUT_MS / 1000:.0f} s of a transaction: the next one scores again "
            "what this one did not commit"
        )


@contextmanager
def fenced_as_own_error(
    producer: Producer, own: type[RuntimeError] = ScorerFencedError
) -> Generator[None]:
    """Turn the error of a fenced producer into an error of its own.

    Args:
        producer: The transactional producer that the block uses.
        own: That error, which is raised in its place; other errors stay as they are.
    """
    try:
        yield
    except KafkaException as error:
        code = error.args[0].code()
        if code in _FENCED or (code == KafkaError._FATAL and _why_fatal(producer) in _FENCED):
            raise own from None
        raise


def _why_fatal(producer: Producer) -> int | None:
    """The error behind a fatal one: `produce` says only that there was one, transactions say it."""
    try:
        producer.abort_transaction(_ABORT_SECONDS)
    except KafkaException as error:
        return error.args[0].code()
    return None
