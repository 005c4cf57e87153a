"""The anomaly score of one reading, and the anomalies of the last hours.

Belongs here: the scale factor that a forest gives one reading, and the anomalous readings of the
last hours, to the same bits as `anomaly_score` and `score` for a series. Not here: the scored row
(`stepwise.scorer`).
"""

from collections import deque

from usage_platform.core.detector.anomaly_score import LEAST_SCALE_FACTOR
from usage_platform.core.detector.features import UNIT
from usage_platform.core.detector.forest import SHARE_UNIT, Forests
from usage_platform.core.detector.measure import LARGEST_FEATURE, LONGEST_RUN
from usage_platform.core.detector.score import SHIFT_HOURS
from usage_platform.core.detector.stepwise.deviations import MeasuredReading

_NEVER = -(10**18)


class ForestTraversal:
    """Passes one reading down the trees of a forest.

    The arrays are read in place: converting them to something faster costs more than the few
    readings that reach the forest of an hour.
    """

    def __init__(self, forests: Forests) -> None:
        self._roots = forests.roots
        self._feature = forests.feature.data
        self._skip = forests.skip.data
        self._value = forests.value.data

    def scale_factor(self, measured: MeasuredReading, run: int) -> float:
        """The factor of the deviation (`anomaly_score.forest_scores`)."""
        sizes = map(_feature, (measured.long, measured.short, measured.hour))
        row = (*sizes, min(run, LONGEST_RUN))
        return max(
            2.0 - self._depth_share(self._roots[measured.key].tolist(), row), LEAST_SCALE_FACTOR
        )

    def _depth_share(self, roots: list[int], row: tuple[int, ...]) -> float:
        """`Forests.depth_shares` of one row of features."""
        if roots[0] < 0:
            return 1.0
        feature, skip, value = self._feature, self._skip, self._value
        total = 0
        for root in roots:
            node = root
            while ahead := skip[node]:  # 0 at a leaf
                node += 1 if row[feature[node]] <= value[node] else ahead
            total += value[node]
        return total * SHARE_UNIT / len(roots)


class RecentAnomalies:
    """The anomalous readings of the last hours."""

    def __init__(self, per_hour: int) -> None:
        self._reach = per_hour
        self._shift = SHIFT_HOURS * per_hour
        self._strong = {True: _NEVER, False: _NEVER}
        self._anomalous: deque[int] = deque()

    def is_anomalous(self, index: int, above: bool, score: float) -> bool:
        """Add a reading outside its range with half the threshold or more; whether it is anomalous.

        It is if its score reaches the threshold, or if an earlier one of the last hour did so in
        the same direction.

        Args:
            index: Its interval; later than all before.
            above: Whether it lies above the expected value.
            score: Its score; 1 is the threshold.
        """
        if score >= 1.0:
            self._strong[above] = index
        elif self._strong[above] < index - self._reach:
            return False
        self._anomalous.append(index)
        return True

    def share_of_anomalies(self, index: int) -> float:
        """The share of anomalous readings in the last three hours, this one included."""
        anomalous = self._anomalous
        while anomalous[0] <= index - self._shift:
            anomalous.popleft()
        return len(anomalous) / self._shift


def _feature(size: float) -> int:
    """A deviation as in `measure.Measured.rows`."""
    return round(max(-LARGEST_FEATURE, min(size / UNIT, LARGEST_FEATURE)))
