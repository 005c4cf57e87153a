"""The models of a training that has not ended, stored as they are trained.

Belongs here: what a training that was killed has left, and where the next one continues. A week's
model is trained by buckets of meters that follow each other by name; each bucket is a file, which
is there once it is complete. Once a week has all its buckets, they become the files of its model.
Buckets of different plans have different files: a process of a killed training that still trains
one cannot give it to the next training, which may be another one. Not here: training itself
(`services.train`), promoted models (`models`).

The models are complete and have a manifest, but as long as the record names them, `ModelStore`
shows them to nobody. The record's end is the one moment at which all of them appear.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.detector_files import (
    DetectorWriter,
    detector_file,
    read_detectors,
    summary_of,
)
from usage_platform.core.detector.gate import Examined
from usage_platform.core.detector.manifest import Detector, Manifest

MANIFEST = "manifest.json"
"""The name of a model's manifest."""

_FOLDER, _RECORD, _FIRSTS = "training", "training/record.json", "buckets.json"
_PLAN_LETTERS = 16


@dataclass(frozen=True)
class TrainedWeek:
    """A week's model that is stored and not promoted yet.

    Attributes:
        version: Its version.
        examined: How it compares with the one before it.
        is_new: Whether there was no model of that version before the training.
        failed: Why a meter could not be trained, by meter.
    """

    version: str
    examined: Examined
    is_new: bool
    failed: Mapping[str, str]


class UnfinishedTraining:
    """The record and the files of the training of a lake; there is one at a time."""

    def __init__(self, files: LakeFiles) -> None:
        self._files = files

    def begin(self, plan: str, buckets: Sequence[Sequence[str]]) -> Sequence[Sequence[str]]:
        """Continue the training of a plan, or begin it.

        Args:
            plan: What the training is, apart from its last week; what is left of a training with
                another plan is deleted.
            buckets: The meters, sorted, by bucket.

        Returns:
            The buckets of the training that is continued, or those given.
        """
        record = self._record()
        if record is not None and record["plan"] == plan:
            for until in record["weeks"]:
                self._settle(date.fromisoformat(until))
            return record["buckets"]
        self._discard(record)
        self._write({"plan": plan, "buckets": [list(names) for names in buckets], "weeks": {}})
        return buckets

    def week(self, until: date) -> TrainedWeek | None:
        """The week's model; None if it is not complete."""
        given = self._weeks().get(until.isoformat())
        if given is None:
            return None
        examined = Examined(**given["examined"])
        return TrainedWeek(given["version"], examined, given["is_new"], given["failed"])

    def pending(self) -> set[str]:
        """The versions of the models that are to appear at the end of the training."""
        return {week["version"] for week in self._weeks().values() if week["is_new"]}

    def has_bucket(self, plan: str, until: date, number: int) -> bool:
        """Whether a bucket of a week is complete."""
        return self._files.exists(_staged(plan, until, number))

    @contextmanager
    def bucket(self, plan: str, until: date, number: int) -> Iterator[DetectorWriter]:
        """Write a bucket of a week, which appears complete or not at all."""
        with detector_file(self._files, _staged(plan, until, number)) as writer:
            yield writer

    def detectors(self, plan: str, until: date, number: int) -> Iterator[tuple[str, Detector]]:
        """The meters of a bucket with their detectors, one at a time."""
        return read_detectors(self._files, _staged(plan, until, number))

    def summary(self, plan: str, until: date, number: int) -> str:
        """The text that was stored with a bucket (`DetectorWriter.summarize`)."""
        return summary_of(self._files, _staged(plan, until, number))

    def drop_week(self, plan: str, until: date) -> None:
        """Delete the buckets of a week that is not complete."""
        self._files.delete_folder(_week_folder(plan, until))

    def end_week(
        self, until: date, manifest: Manifest, examined: Examined, failed: Mapping[str, str]
    ) -> TrainedWeek:
        """Make the buckets of a week its model; a version that there is already stays as it is."""
        is_new = not self._files.exists(f"{manifest.version}/{MANIFEST}")
        week = TrainedWeek(manifest.version, examined, is_new, failed)
        record = self._record() or {}
        record["weeks"][until.isoformat()] = {**asdict(week), "manifest": manifest.as_dict()}
        self._write(record)
        self._settle(until)
        return week

    def _settle(self, until: date) -> None:
        """Bring a week's files where its model has them; what is there already stays."""
        record = self._record() or {}
        week = record["weeks"][until.isoformat()]
        version = week["version"]
        for number in range(len(record["buckets"])):
            staged = _staged(record["plan"], until, number)
            if self._files.exists(staged):
                place = bucket_path(version, number)
                if week["is_new"] and not self._files.exists(place):
                    self._files.move(staged, place)
                else:
                    self._files.delete(staged)
        if week["is_new"] and not self._files.exists(f"{version}/{MANIFEST}"):
            write_firsts(self._files, version, [names[0] for names in record["buckets"]])
            text = json.dumps(week["manifest"], indent=1)
            self._files.write_text(f"{version}/{MANIFEST}", text)

    def forget(self) -> None:
        """End the training: its models are like all others from now on."""
        self._files.delete(_RECORD)
        self._files.delete_folder(_FOLDER)

    def _discard(self, record: dict[str, Any] | None) -> None:
        """Delete what is left of another training; its models have been in no one's hands."""
        for week in () if record is None else record["weeks"].values():
            if week["is_new"]:
                # Without a manifest it is no model any more; its record must outlive it.
                self._files.delete(f"{week['version']}/{MANIFEST}")
                self._files.delete_folder(week["version"])
        self.forget()

    def _weeks(self) -> dict[str, Any]:
        record = self._record()
        return {} if record is None else record["weeks"]

    def _record(self) -> dict[str, Any] | None:
        return self._files.read_json(_RECORD)

    def _write(self, record: dict[str, Any]) -> None:
        self._files.write_text(_RECORD, json.dumps(record, indent=1))


def bucket_path(version: str, number: int) -> str:
    """The file of a model's bucket of meters."""
    return f"{version}/detectors/{number:05}.parquet"


def write_firsts(files: LakeFiles, version: str, firsts: Sequence[str]) -> None:
    """Store the first meter of each bucket of a model."""
    files.write_text(f"{version}/{_FIRSTS}", json.dumps(list(firsts), indent=1))


def read_firsts(files: LakeFiles, version: str) -> list[str]:
    """The first meter of each bucket of a model."""
    return files.read_json(f"{version}/{_FIRSTS}") or []


def _staged(plan: str, until: date, number: int) -> str:
    return f"{_week_folder(plan, until)}/{number:05}.parquet"


def _week_folder(plan: str, until: date) -> str:
    return f"{_FOLDER}/{plan[:_PLAN_LETTERS]}/{until.isoformat()}"
