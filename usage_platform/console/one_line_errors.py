"""A user's mistake, or a service that is away, told in one line on the console.

Belongs here: which errors those are. Not here: the same for Dagster's runs (`defs/failures`).
"""

import click

from usage_platform.settings.settings import SettingsError


class OneLineErrors(click.Group):
    """Says what went wrong in one line, without a stack trace."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        from confluent_kafka import KafkaException

        from usage_platform.adapters.kafka.topics import KafkaUnreachableError
        from usage_platform.adapters.lake.errors import LakeError, what_to_do
        from usage_platform.adapters.lake.lease import LeaseError
        from usage_platform.adapters.spark.session import SparkUnreachableError
        from usage_platform.core.readings.source import SourceError
        from usage_platform.local.errors import LocalError

        known = (
            *(KafkaUnreachableError, SparkUnreachableError),
            *(LakeError, LeaseError, LocalError, SourceError),
        )
        try:
            return super().invoke(ctx)
        except KafkaException as error:
            raise click.ClickException(f"Kafka: {error.args[0].str()}") from None
        except (SettingsError, *known) as error:
            raise click.ClickException(str(error)) from None
        except BrokenPipeError:  # Whoever reads the output has seen enough; click ends quietly.
            raise
        except OSError as error:
            raise click.ClickException(what_to_do(error, remote=False)) from None
