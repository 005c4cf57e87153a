"""Training that is killed anywhere ends with the models of one that was not, promoted together."""

from datetime import timedelta
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.lake.reader import LakeReader
from usage_platform.adapters.lake.tables import READINGS
from usage_platform.adapters.processes.pool import map_in_processes
from usage_platform.adapters.stores.models import ModelStore
from usage_platform.core.detector.manifest import model_version
from usage_platform.core.detector.options import Method, TrainingOptions
from usage_platform.core.detector.schedule import judges_from
from usage_platform.core.detector.train import train as train_detector
from usage_platform.core.detector.training import train_meter
from usage_platform.core.time.local_time import local_day_bounds
from usage_platform.services.due_models import due_models
from usage_platform.services.train import reading_days
from usage_platform.services.train_bucket import on_executors
from usage_platform_tests.core.detector.series import DAY, library
from usage_platform_tests.services.train.library_meters import (
    FAST,
    FIRST,
    METERS,
    REGISTRY,
    ZONE,
    content,
    readings,
    run,
)


class Killed(BaseException):
    """The process ends here."""


@pytest.fixture
def trained(monkeypatch):
    """Which meter is trained until when; one of them can be made the moment of a kill."""
    seen = SimpleNamespace(tasks=[], kill=None)

    def train(task):
        seen.tasks.append((task.meter.name, task.until))
        if (task.meter.name, task.until) == seen.kill:
            raise Killed
        return train_meter(task)

    monkeypatch.setattr("usage_platform.services.train_bucket.train_meter", train)
    return seen


def tree(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_models_are_those_of_training_every_meter_of_every_week_by_itself(files, reader):
    result = run(files, reader)
    untils = [FIRST - timedelta(days=1), *(FIRST + timedelta(days=7 * n) for n in range(8))]
    expected = []
    for until in untils:
        end = local_day_bounds(until, ZONE)[0].value
        detectors = {}
        for seed, meter in enumerate(METERS):
            instants, values = library(56, seed)
            of = REGISTRY.get(meter)
            detectors[meter] = train_detector(instants, values, of, FAST, end)
        expected.append(model_version(judges_from(until, ZONE), detectors))
    assert result.versions == expected
    assert result.promoted == expected
    assert [one.version for one in ModelStore(files).manifests()] == expected
    assert due_models(reader, ModelStore(files), ZONE) == []


def writes(monkeypatch, most):
    """Kills the process at the write after so many; a write is a file that appears or goes."""
    left = iter(range(most))

    def counted(method):
        def call(self, *given, **named):
            if next(left, None) is None:
                raise Killed
            return method(self, *given, **named)

        return call

    for name in ("write_text", "open_output", "move", "delete", "delete_folder"):
        monkeypatch.setattr(LakeFiles, name, counted(getattr(LakeFiles, name)))


def test_a_training_killed_after_any_write_is_continued_and_shows_nothing_before_its_end(
    tmp_path, lake, write_table, monkeypatch
):
    write_table(lake, READINGS, pd.concat([readings(meter, days=15) for meter in METERS[:3]]))
    reader = LakeReader(lake)
    one_go = LakeFiles(str(tmp_path / "one"))
    monkeypatch.setattr(
        "usage_platform.services.due_models.due",
        lambda first, newest, trained: (
            [] if trained else [FIRST + timedelta(days=n) for n in (7, 14)]
        ),
    )
    run(one_go, reader)
    expected = content(one_go)
    kills = 0
    for most in range(1, 1000):
        files = LakeFiles(str(tmp_path / f"killed{most}"))
        with monkeypatch.context() as patch:
            writes(patch, most)
            try:
                run(files, reader)
            except Killed:
                kills += 1
            else:
                break
        if ModelStore(files).candidates():
            # Killed after the record was deleted, where only an empty folder was left to delete.
            assert content(files) == expected
            continue
        assert ModelStore(files).manifests() == []
        result = run(files, reader)
        assert content(files) == expected
        assert result.promoted == expected[1]
        assert tree(tmp_path / f"killed{most}") == tree(tmp_path / "one")
    assert kills > 15


def test_a_continued_training_trains_no_meter_again_that_is_stored(files, reader, trained):
    trained.kill = ("a", FIRST + timedelta(days=21))
    with pytest.raises(Killed):
        run(files, reader)
    before = set(trained.tasks)
    assert ("a", FIRST - timedelta(days=1)) in before
    trained.tasks.clear()
    # The bucket of a, in which it was killed, holds a alone.
    again, trained.kill = trained.kill, None
    run(files, reader)
    assert before & set(trained.tasks) == {again}
    assert len(before | set(trained.tasks)) == 9 * len(METERS)


def test_what_another_training_has_left_is_deleted(files, reader, tmp_path, trained):
    trained.kill = ("b", FIRST + timedelta(days=21))
    with pytest.raises(Killed):
        run(files, reader)
    trained.kill = None
    other = TrainingOptions(method=Method.ROBUST_Z, false_alarms_per_week=0.25)
    run(files, reader, options=other)
    alone = tmp_path / "alone"
    run(LakeFiles(str(alone)), reader, options=other)
    assert content(files) == content(LakeFiles(str(alone)))
    assert tree(tmp_path / "models") == tree(alone)


def test_a_process_that_still_trains_for_a_killed_training_does_not_disturb_the_next_one(
    files, reader, tmp_path
):
    """It may store its bucket at any time: here at the worst, after each of the next training."""
    late = []

    def killed(trainer, buckets):
        late.append(partial(trainer, buckets[0]))
        raise Killed

    with pytest.raises(Killed):
        run(files, reader, options=FAST, spread=killed)
    other = TrainingOptions(method=Method.ROBUST_Z, false_alarms_per_week=0.25)

    def disturbed(trainer, buckets):
        for bucket in buckets:
            yield trainer(bucket)
            late[0]()

    run(files, reader, options=other, spread=disturbed)
    alone = LakeFiles(str(tmp_path / "alone"))
    run(alone, reader, options=other)
    assert content(files) == content(alone)


@pytest.mark.spark
def test_on_other_processors_the_models_are_the_same(files, reader, tmp_path, spark):
    lines = []
    alone = LakeFiles(str(tmp_path / "alone"))
    run(alone, reader)
    result = run(files, reader, lines.append, spread=map_in_processes)
    assert content(files) == content(alone)
    assert tree(tmp_path / "models") == tree(tmp_path / "alone")
    assert lines[2] == f"until {FIRST - timedelta(days=1)}: 5 of 5 meters"
    assert len(lines) == 3 * len(result.versions)
    cluster = LakeFiles(str(tmp_path / "cluster"))
    run(cluster, reader, spread=partial(on_executors, spark))
    assert content(cluster) == content(alone)


def test_only_readings_of_one_bucket_are_read_at_a_time(files, reader, monkeypatch):
    asked = []
    rows = LakeReader.rows

    def counts(self, table, columns=None, first=None, last=None, meters=None):
        asked.append(meters)
        return rows(self, table, columns, first, last, meters)

    monkeypatch.setattr(LakeReader, "rows", counts)
    run(files, reader)
    named = [meters for meters in asked if meters is not None]
    assert max(map(len, named)) == 2
    # The newest and the oldest day are read for all meters, to know what is due.
    assert len(asked) - len(named) == 2


def test_the_days_of_the_readings_are_local(lake, write_table):
    reader = LakeReader(lake)
    assert reading_days(reader, ZONE) is None
    rows = readings("m", days=84)
    write_table(lake, READINGS, rows[:0])
    assert reading_days(reader, ZONE) is None
    write_table(lake, READINGS, rows)
    newest = FIRST + timedelta(days=83)
    # Eighty-four days of 24 hours end an hour after midnight once the clock went forward.
    assert np.ptp(library(84)[0]) == 84 * DAY - DAY // 24
    assert reading_days(reader, ZONE) == (FIRST, newest + timedelta(days=1))
    assert reading_days(reader, "UTC") == (FIRST, newest + timedelta(days=1))
