"""The findings of all meters that are not done: how many, and the costliest.

Belongs here: counting them, and keeping them while nothing changes. Not here: the list
(`finding_list`), presenting it (`web`).

Their costs are not added up: findings overlap, such as a longer day and a higher share out of
hours.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import USAGE_FINDINGS
from usage_platform.adapters.stores.finding_states import FindingStates
from usage_platform.core.findings.states import FindingState
from usage_platform.core.meters import MeterRegistry
from usage_platform.services.finding_list import ListedFinding, list_findings

MOST_SHOWN = 10
"""The findings that are shown of all meters."""


@dataclass(frozen=True)
class FleetFindings:
    """The current findings that are not done.

    Attributes:
        version: Changes whenever anything else here does.
        count: How many.
        meters: How many meters have one.
        costliest: At most `MOST_SHOWN` of them.
    """

    version: str
    count: int
    meters: int
    costliest: tuple[ListedFinding, ...]


class FleetFindingsCache:
    """The findings of all meters, read again when the table or a state has changed.

    Args:
        reader: The lake's tables.
        states: The states of findings.
        registry: Gives the known meters; groups are left out.
    """

    def __init__(
        self, reader: LakeReader, states: FindingStates, registry: Callable[[], MeterRegistry]
    ) -> None:
        self._registry = registry
        self._reader = reader
        self._states = states
        self._lock = threading.Lock()
        self._held: FleetFindings | None = None

    def findings(self) -> FleetFindings:
        """The findings now.

        Raises:
            LakeError: When the lake cannot be read.
        """
        table = self._reader.day_files(USAGE_FINDINGS).version
        states = sorted(self._states.read().items())
        version = sha256(repr((table, states)).encode()).hexdigest()[:16]
        with self._lock:
            if self._held is None or self._held.version != version:
                self._held = self._read(version)
            return self._held

    def _read(self, version: str) -> FleetFindings:
        listed = list_findings(self._reader, self._states)
        # Those of a group would count what its meters' findings count already.
        groups = self._registry().groups
        left = [
            one for one in listed if one.state is not FindingState.DONE and one.meter not in groups
        ]
        meters = len({one.meter for one in left})
        return FleetFindings(version, len(left), meters, tuple(left[:MOST_SHOWN]))
