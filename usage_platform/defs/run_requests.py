"""What a schedule asks for: a run, or none while there is nothing to work on.

Belongs here: the rule that several schedules share. Not here: the schedules (`schedules`,
`peak_warnings`).
"""

import dagster as dg

from usage_platform.adapters.lake.errors import LakeError
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.defs.resources import PlatformResource


def run_with_readings(platform: PlatformResource, run_key: str) -> dg.RunRequest | dg.SkipReason:
    """A run with a key, once the lake has readings; until then why there is none."""
    try:
        if not platform.deployment.reader.exists(READINGS):
            return dg.SkipReason("no readings yet")
    except LakeError as error:
        return dg.SkipReason(str(error))
    return dg.RunRequest(run_key=run_key)
