"""Which stored models can score nothing any more.

Belongs here: the rule. Not here: deleting them (`adapters.stores.models`), when that happens
(`defs.upkeep`).
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

import pandas as pd

from usage_platform.core.detector.manifest import Manifest

KEPT = pd.Timedelta(days=28)
"""How long a model stays after it became useless, so that a promotion can be rolled back."""


def useless(
    candidates: Sequence[Manifest], promoted: Collection[str], now: pd.Timestamp
) -> list[Manifest]:
    """The models that score no reading, of past or future, whatever is recomputed.

    A promoted model scores readings from its begin to the next promoted one's, also years later
    when a day is backfilled or rescored: it is never useless, unless a later training of the same
    week is promoted too. A model that is not promoted scores nothing; it is kept while it is the
    newest of all, because the next training begins after it.

    Args:
        candidates: All models, as `ModelStore.candidates` orders them.
        promoted: The versions of those that are promoted.
        now: The time, UTC; a model that was useless for less than `KEPT` stays.
    """
    in_use = [one for one in candidates if one.version in promoted]
    replaced_at = {
        one.version: pd.Timestamp(following.trained_at)
        for one, following in pairwise(in_use)
        if one.begin == following.begin
    }
    newest = max((one.end for one in candidates), default=None)
    for one in candidates:
        if one.version not in promoted and one.end != newest:
            replaced_at[one.version] = pd.Timestamp(one.trained_at)
    return [
        one
        for one in candidates
        if one.version in replaced_at and now - replaced_at[one.version] >= KEPT
    ]
