"""An order for models: trained, examined, and put into the store, on this machine or elsewhere.

Belongs here: what is done with an order, and what came of it. Not here: training itself
(`training`), how an order comes about (the asset), where it is carried out (`cluster`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.manifest import Model
from usage_platform.core.meters import MeterRegistry
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.services.train import Progress, Wishes, train_models


@dataclass(frozen=True)
class ModelOrder:
    """Which models are wanted.

    Attributes:
        untils: Local days that the histories end before, ascending, at least one.
        wishes: What the user chose.
        promote_anyway: Whether they are put in force even if they are not fit.
    """

    untils: Sequence[date]
    wishes: Wishes
    promote_anyway: bool = False


@dataclass(frozen=True)
class OrderedModels:
    """What came of an order.

    Attributes:
        versions: The models, in the order of their histories.
        promoted: Those of them that were put in force.
        examined: What examining the last of them said.
    """

    versions: Sequence[str]
    promoted: Sequence[str]
    examined: Examined


def train_into(
    store: ModelStore,
    reader: LakeReader,
    registry: MeterRegistry,
    order: ModelOrder,
    now: datetime,
    progress: Progress,
) -> OrderedModels:
    """Train what is ordered, and put the fit ones in force.

    Args:
        store: Where the models are kept.
        reader: The lake's tables.
        registry: The known meters; the default one's zone says where days begin.
        order: What is wanted.
        now: The time of training, for the manifests.
        progress: Told which meter and day is trained.

    Raises:
        TrainingError: When there is no reading of a meter that was asked for.
        LakeError: When the readings or the models cannot be reached.
    """
    before = _before(store, order.untils[0], registry.default.timezone)
    trained = list(
        train_models(reader, registry, order.untils, order.wishes, now, progress, before)
    )
    models = [one.model for one in trained]
    fit = [one.model for one in trained if one.examined.is_fit or order.promote_anyway]
    promoted = [model.manifest.version for model in fit]
    # All at once: the stream must not judge by one of them what the next is meant for.
    store.add(models, promoted)
    versions = [model.manifest.version for model in models]
    return OrderedModels(versions, promoted, trained[-1].examined)


def _before(store: ModelStore, until: date, zone: str) -> Model | None:
    """The newest model in force that knows nothing of the days from `until` on."""
    end = local_day_bounds(until, zone)[0]
    older = [one for one in store.manifests() if one.end <= end]
    return store.load(older[-1].version) if older else None
