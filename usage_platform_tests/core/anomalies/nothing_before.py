"""The past of a scorer that takes everything in order: nothing is looked up in it."""

from collections.abc import Mapping

import pandas as pd

from usage_platform.core.anomalies.published_past import PublishedPast


class NothingBefore:
    """A `ScorerPast` that fails when it is asked."""

    def readings(self, meter: str, first: int, end: int) -> pd.DataFrame:
        raise AssertionError(f"in order, nothing is to be looked up: {meter}, {first}, {end}")

    def published(self, since: Mapping[str, int]) -> PublishedPast:
        raise AssertionError(f"in order, nothing is to be looked up: {since}")
