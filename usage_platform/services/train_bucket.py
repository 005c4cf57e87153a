"""Training the meters of one bucket up to a day: the unit of work that is spread over processors.

Belongs here: what a bucket's training reads and stores, and what happens to a meter that cannot be
trained. Memory holds the readings of the bucket and of some before it (`sliding_readings`), and one
detector. Not here: training itself (`core.detector.training`), which buckets and weeks
(`train_weeks`), on which processor (`adapters.processes`, `adapters.spark.executors`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.spark.executors import map_on_executors
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.manifest import Detector
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.training import MeterTask, TrainedMeter, train_meter
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.readings.series import ReadingHistory
from usage_platform.services.sliding_readings import SlidingReadings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@dataclass(frozen=True)
class Bucket:
    """The meters of a week's model that are trained together.

    Attributes:
        plan: The training that it belongs to.
        until: The local day that the histories end before.
        number: Its number in the model.
        names: Its meters, sorted.
        before: The version of the model that the detectors are compared with; None without one.
    """

    plan: str
    until: date
    number: int
    names: tuple[str, ...]
    before: str | None


@dataclass(frozen=True)
class BucketSummary:
    """What training the meters of a bucket led to, apart from their detectors.

    Attributes:
        readings: Readings in their histories.
        left_out: Readings that people's labels kept out.
        examined: How the detectors compare with those before.
        failed: Why a meter could not be trained, by meter.
    """

    readings: int = 0
    left_out: int = 0
    examined: Examined = field(default_factory=Examined)
    failed: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def parsed(cls, text: str) -> "BucketSummary":
        """The summary that was stored with a bucket's file."""
        given: dict[str, Any] = json.loads(text)
        examined = Examined(**given.pop("examined"))
        return cls(**given, examined=examined)

    def with_meter(self, trained: TrainedMeter) -> "BucketSummary":
        """With another meter that was trained."""
        return replace(
            self,
            readings=self.readings + trained.readings,
            left_out=self.left_out + trained.left_out,
            examined=self.examined + trained.examined,
        )


@dataclass(frozen=True)
class TrainedBucket:
    """What is reported about a bucket that is stored.

    Attributes:
        meters: The number of its meters that were to be trained.
        failures: A line for each of them that could not be.
    """

    meters: int
    failures: Sequence[str]


def on_executors(
    spark: "SparkSession", trainer: "BucketTrainer", buckets: Sequence[Bucket]
) -> Iterator[TrainedBucket]:
    """Train buckets on the executors of a cluster; what they say comes once all are trained."""

    def text(bucket: Bucket) -> str:
        return json.dumps(asdict(trainer(bucket)))

    for result in map_on_executors(spark, text, buckets):
        yield TrainedBucket(**json.loads(result))


@dataclass(frozen=True, eq=False)
class BucketTrainer:
    """Trains and stores a bucket, complete or not at all, wherever it is sent; it can be pickled.

    Attributes:
        readings: The readings.
        models: The folder of the models.
        registry: The known meters; the default one's zone says where days begin.
        labels: People's labels (`core.feedback.labels.LABEL_COLUMNS`).
        options: How detectors are trained.
        asked: The meters that are trained; all where it is empty. The others keep their detectors.
    """

    readings: SlidingReadings
    models: str
    registry: MeterRegistry
    labels: pd.DataFrame
    options: TrainingOptions
    asked: tuple[str, ...] = ()

    def is_asked(self, name: str) -> bool:
        """Whether a meter is trained."""
        return not self.asked or name in self.asked

    def __call__(self, bucket: Bucket) -> TrainedBucket:
        """Train a bucket."""
        store = ModelStore(LakeFiles(self.models))
        before = store.detectors(bucket.before)
        asked = [name for name in bucket.names if self.is_asked(name)]
        history = self.readings.until(bucket.until, asked)
        total, failed = BucketSummary(), dict[str, str]()
        with store.training.bucket(bucket.plan, bucket.until, bucket.number) as writer:
            for name in bucket.names:
                detector = before.get(name)
                if self.is_asked(name):
                    trained = self._trained(name, bucket.until, history, detector)
                    if isinstance(trained, str):
                        failed[name] = trained
                    else:
                        detector = trained.detector
                        total = total.with_meter(trained)
                if detector is not None:
                    writer.write(name, detector)
            writer.summarize(json.dumps({**asdict(total), "failed": failed}))
        return TrainedBucket(
            len(asked),
            [f"{name}: not trained until {bucket.until}: {why}" for name, why in failed.items()],
        )

    def _trained(
        self, name: str, until: date, history: ReadingHistory, before: Detector | None
    ) -> TrainedMeter | str:
        """A meter's detector, or why there is none."""
        meter, zone = self.registry.get(name), self.registry.default.timezone
        series = history.of(name)
        try:
            return train_meter(
                MeterTask(meter, series, self.labels, until, zone, self.options, before)
            )
        except MemoryError:
            raise
        except Exception as error:
            # Whatever it is: the other meters are trained, and this one is named.
            return f"{type(error).__name__}: {error}"
