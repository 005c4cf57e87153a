"""`usage-platform accept-loss`: go on without events that Kafka deleted before ingestion."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from usage_platform.settings.settings import Settings

if TYPE_CHECKING:
    from usage_platform.wiring.platform import Platform


@click.command("accept-loss")
@click.argument("topic", type=click.Choice(["usage", "anomaly"]))
@click.pass_obj
def accept_loss(overrides: Mapping[str, Any], topic: str) -> None:
    """Go on without events that Kafka deleted before ingestion."""
    from usage_platform.wiring.platform import Platform

    click.echo(accepted(Platform(Settings.from_env(**overrides)), topic))


def accepted(deployment: "Platform", topic: str) -> str:
    """Give up what was deleted from a topic; returns a one-line confirmation.

    Raises:
        KafkaUnreachableError: When no broker answers.
        LakeError: When the checkpoint's file cannot be read or written.
    """
    from usage_platform.services.topic_progress import accept_deleted

    lost = accept_deleted(deployment.lake, deployment.kafka, topic)
    if not lost:
        return f"topic {topic}: nothing was deleted before it was ingested; nothing is changed"
    return f"topic {topic}: the next micro-batch goes on without {', '.join(map(str, lost))}"
