"""Ticks that have nothing to do until a person changes a file or a setting.

Belongs here: that such a tick ends late, so that the next one comes late. Not here: what a sensor
has to do.
"""

import dagster as dg

from usage_platform.adapters.processes.ending import ENDING
from usage_platform.defs.failures import skip_reason

REST_SECONDS = 30.0
"""Well below the 60 that Dagster allows a tick; so late a change is noticed."""


def nothing_to_do(*reasons: str) -> dg.SkipReason:
    """Why a tick has nothing to do, after a rest that the end of the process ends.

    A tick costs Dagster some 60 ms of a processor, a rest nothing.

    Args:
        reasons: Those that are not empty are joined.
    """
    ENDING.wait(REST_SECONDS)
    return skip_reason(*reasons)
