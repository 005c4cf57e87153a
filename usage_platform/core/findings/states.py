"""What people have decided about a finding.

Belongs here: the states. Not here: where they are kept (adapters), the finding (`finding`).
"""

from dataclasses import dataclass
from enum import StrEnum

import pandas as pd


class FindingState(StrEnum):
    """The state of a finding; the texts are stored and never change."""

    NEW = "new"
    ACCEPTED = "accepted"
    DONE = "done"


@dataclass(frozen=True)
class StateChange:
    """The last change of a finding's state.

    Attributes:
        state: The state since then.
        at: When, UTC.
    """

    state: FindingState
    at: pd.Timestamp
