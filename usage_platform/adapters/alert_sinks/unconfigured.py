"""A target whose sink the settings do not configure: what is sent to it fails with the reason.

Belongs here: failing like a sink that is away, so that alerts wait for the setting, and become dead
letters without it. Not here: which settings a sink needs (`wiring`).
"""

from dataclasses import dataclass
from datetime import datetime

from usage_platform.core.alerts.alert import Alert, DeliveryError


@dataclass(frozen=True)
class UnconfiguredSink:
    """A target that cannot be reached.

    Attributes:
        name: Its name.
        reason: Which setting is missing, in one line without a secret.
    """

    name: str
    reason: str

    def deliver(self, alert: Alert, now: datetime) -> None:
        """Fail.

        Raises:
            DeliveryError: Always; another try may succeed once the setting is there.
        """
        del alert, now
        raise DeliveryError(self.reason)
