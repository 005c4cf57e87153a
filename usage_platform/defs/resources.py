"""The resource that assets, checks and sensors reach the services through.

Belongs here: handing a `Deployment` to Dagster. Not here: how addresses are found (`deployment`).
"""

import dagster as dg
from pydantic import PrivateAttr

from usage_platform.settings.settings import Settings, SettingsError
from usage_platform.wiring.platform import Deployment


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
