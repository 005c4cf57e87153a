"""Report user errors and unreachable services in one line on the console.

Belongs here: which exceptions those are. Not here: the same for Dagster runs (`defs.failures`).
"""

import errno

import click

from usage_platform.adapters.kafka.errors import kafka_error_line
from usage_platform.console.plain_text import plain
from usage_platform.settings.settings import SettingsError

_OF_NETWORK = (
    errno.EADDRINUSE,
    errno.EADDRNOTAVAIL,
    errno.EHOSTUNREACH,
    errno.ENETUNREACH,
    errno.ETIMEDOUT,
)


class OneLineErrors(click.Group):
    """A command group that prints known errors in one line, without a stack trace."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        from confluent_kafka import KafkaException

        from usage_platform.adapters.kafka.topics import KafkaUnreachableError
        from usage_platform.adapters.lake.errors import LakeError
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
            raise click.ClickException(plain(kafka_error_line(error))) from None
        except (SettingsError, *known) as error:
            raise click.ClickException(plain(str(error))) from None
        except BrokenPipeError:  # The reader of the pipe is gone; click exits silently.
            raise
        except OSError as error:
            raise click.ClickException(plain(_line_about(error))) from None


def _line_about(error: OSError) -> str:
    """An error of the system in one line; advice about folders does not help with a port."""
    from usage_platform.adapters.lake.errors import one_line, what_to_do

    is_of_network = error.errno in _OF_NETWORK or isinstance(error, ConnectionError)
    return one_line(str(error)) if is_of_network else what_to_do(error, remote=False)
