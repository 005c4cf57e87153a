"""Which meters a scorer restores: those whose newest event is in no other scorer's partition.

Belongs here: telling them apart when a scorer starts. Not here: restoring them (`score_state`),
meters that appear later (`score_meters`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from usage_platform.adapters.lake.newest_events import newest_events
from usage_platform.adapters.lake.reader import LakeReader


@dataclass(frozen=True)
class Homes:
    """Whose scorer has which meter.

    Attributes:
        own: The meters with readings in the window that no other scorer has; None where there is
            no other scorer.
        others: Those of other scorers, each with the partition in which its newest event is.
    """

    own: Sequence[str] | None = None
    others: Mapping[str, int] = field(default_factory=dict[str, int])

    def without_others(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows (`meter` and others) of meters that no other scorer has."""
        return rows[~rows["meter"].isin([*self.others])] if self.others else rows


EVERY_METER = Homes()
"""For the only scorer."""


def homes_of_meters(
    reader: LakeReader,
    since: pd.Timestamp,
    topic_began: pd.Timestamp,
    tail: pd.DataFrame,
    owns: Callable[[int], bool],
) -> Homes:
    """Tell the meters of other scorers from the rest.

    Args:
        reader: The lake's tables.
        since: Start of the window; readings of earlier days are left out.
        topic_began: The broker's time of the oldest event on the topic; what the lake has from
            before it is in no partition of this topic, and such a meter has no scorer yet.
        tail: Events that may not be in the lake yet, `core.readings.validation.READING_COLUMNS`.
        owns: Whether a partition is this scorer's.
    """
    newest = newest_events(reader, since.date(), tail)
    is_own = np.array([owns(partition) for partition in newest["partition"].tolist()], dtype=bool)
    is_other = (newest["kafka_time"] >= topic_began) & ~is_own
    others = newest[is_other]
    pairs = zip(others["meter"].tolist(), others["partition"].tolist(), strict=True)
    own = [str(meter) for meter in newest.loc[~is_other, "meter"].tolist()]
    return Homes(own, {str(meter): int(partition) for meter, partition in pairs})
