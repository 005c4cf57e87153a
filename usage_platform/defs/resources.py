"""The resource that assets, checks and sensors reach the services through.

Belongs here: handing a `Deployment` to Dagster. Not here: how addresses are found (`deployment`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg
from pydantic import PrivateAttr

from usage_platform.adapters.lease import LeaseError
from usage_platform.adapters.spark_session import SparkUnreachableError
from usage_platform.deployment import Deployment
from usage_platform.settings import Settings, SettingsError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class PlatformResource(dg.ConfigurableResource):
    """The services that the environment variables `USAGE_*` name; see `.env.example`."""

    _deployment: Deployment | None = PrivateAttr(default=None)

    @property
    def deployment(self) -> Deployment:
        """The services; made on first use, as loading the definitions needs none of them."""
        if self._deployment is None:
            try:
                self._deployment = Deployment(Settings.from_env())
            except SettingsError as error:
                raise dg.Failure(description=str(error), allow_retries=False) from None
        return self._deployment

    @contextmanager
    def spark(self) -> Iterator["SparkSession"]:
        """A Spark session to write to the lake with; a refusal fails the run in one line."""
        try:
            with self.deployment.spark() as session:
                yield session
        except (LeaseError, SparkUnreachableError) as error:
            raise dg.Failure(description=str(error), allow_retries=False) from None
