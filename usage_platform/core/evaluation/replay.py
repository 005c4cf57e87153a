"""Backtest of one meter: its readings scored as the platform scores them, in memory.

Belongs here: the order of weekly training, promotion and scoring. All of it is the platform's own:
when models are trained (`detector.schedule`), training with labels and the comparison with the
model before (`detector.training`), and which model scores a reading (`detector.model_timeline`).
Not here: reading and writing files, comparing with labelled faults (`detection_rates`).
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from itertools import chain, pairwise

import numpy as np
import pandas as pd

from usage_platform.core.anomalies.episodes import with_episodes
from usage_platform.core.detector.manifest import Model
from usage_platform.core.detector.model_draft import Provenance
from usage_platform.core.detector.model_timeline import ModelTimeline, score_series
from usage_platform.core.detector.options import TrainingOptions
from usage_platform.core.detector.schedule import due, judges_from
from usage_platform.core.detector.score import Kind
from usage_platform.core.detector.training import TrainingData, is_compared, train_models
from usage_platform.core.feedback.labels import NO_LABELS, silenced
from usage_platform.core.meters import Meter, MeterRegistry
from usage_platform.core.readings.series import ReadingHistory, Series
from usage_platform.core.time.units import instants_of

REPLAY_COLUMNS = (
    "ts",
    "value",
    "expected",
    "low",
    "high",
    "score",
    "flagged",
    "kind",
    "episode",
    "learning",
)

# No table was read, and no version depends on the rest.
_IN_MEMORY = Provenance(datetime(1970, 1, 1, tzinfo=UTC), 0, {})


def replay(
    readings: pd.DataFrame,
    meter: Meter,
    options: TrainingOptions,
    labels: pd.DataFrame = NO_LABELS,
    *,
    from_: pd.Timestamp | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> pd.DataFrame:
    """Score every reading by the weekly model that the platform would have had for it.

    The flagged rows are those that the table `anomalies` has of the same readings, options and
    labels.

    Args:
        readings: One meter's: ts (datetime64[ns, UTC], ascending, each once, multiples of the
            interval), value (kW).
        meter: The meter; days and weeks are those of its time zone.
        options: How models are trained.
        labels: People's labels (`core.feedback.labels.LABEL_COLUMNS`): readings in a stretch that
            was truly anomalous or planned are not trained on, and none in a planned one is flagged.
        from_: The first instant to return; by default the first reading's.
        progress: Called with (models trained, models to train).

    Returns:
        One row a reading, `REPLAY_COLUMNS`; a longer series gives the earlier readings the same
        rows. Readings that are not finite are left out.
    """
    rows = readings.loc[np.isfinite(readings["value"].to_numpy(np.float64)), ["ts", "value"]]
    begin = None if from_ is None else from_.value
    if rows.empty or (begin is not None and instants_of(rows.loc[:, "ts"])[-1] < begin):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in REPLAY_COLUMNS})
    history = ReadingHistory()
    history.add(rows.rename(columns={"ts": "event_time"}).assign(meter=meter.name))
    data = TrainingData(history, MeterRegistry(meter, {meter.name: meter}), labels)
    series = history.of(meter.name)
    untils = _untils(series, meter, options, from_)
    parts = [
        _scored(meter.name, series, model, following)
        for model, following in pairwise(chain(_promoted(data, untils, options, progress), [None]))
        if model is not None
    ]
    scored = pd.concat([part for part in parts if len(part)], ignore_index=True)
    named = with_episodes(_without_planned(scored, meter, labels))
    late = slice(None) if from_ is None else named["ts"] >= from_
    return named.loc[late, list(REPLAY_COLUMNS)].reset_index(drop=True)


def _untils(
    series: Series, meter: Meter, options: TrainingOptions, from_: pd.Timestamp | None
) -> list[date]:
    """The ends of the histories of the models that are needed, ascending."""
    first, newest = (
        pd.Timestamp(series.instants[at], tz="UTC").tz_convert(meter.timezone).date()
        for at in (0, -1)
    )
    untils = due(first, newest, None)
    if from_ is None or is_compared(options.method):
        return untils
    # Not compared, a model does not depend on those before it.
    over = sum(judges_from(until, meter.timezone) <= from_ for until in untils[1:])
    return untils[over:]


def _promoted(
    data: TrainingData,
    untils: Sequence[date],
    options: TrainingOptions,
    progress: Callable[[int, int], None],
) -> Iterator[Model]:
    """The models that take over from the one before, one after the other."""
    for done, trained in enumerate(train_models(data, untils, options, _IN_MEMORY), start=1):
        progress(done, len(untils))
        if trained.examined.is_fit:
            yield trained.model


def _scored(name: str, series: Series, model: Model, following: Model | None) -> pd.DataFrame:
    """The readings of the time of one model; no more than two are held in memory."""
    known = {model.manifest.version: model}
    before = series if following is None else series.until(following.manifest.begin.value)
    timeline = ModelTimeline([model.manifest], known.__getitem__)
    return score_series(name, before, model.manifest.begin.value, timeline)


def _without_planned(scored: pd.DataFrame, meter: Meter, labels: pd.DataFrame) -> pd.DataFrame:
    """What lies in a planned stretch is no anomaly."""
    planned = silenced(meter.name, instants_of(scored.loc[:, "ts"]), labels)
    flagged = scored["flagged"].to_numpy(np.bool_) & ~planned
    return scored.assign(flagged=flagged, kind=scored["kind"].where(~planned, Kind.NONE))
