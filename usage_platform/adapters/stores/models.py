"""Models as Parquet and JSON under the lake's `models/`, never a pickle.

Belongs here: writing and reading models, on a disk or on S3, and which of them are promoted. A
model is complete once its manifest is there, and the manifest is written last: a reader never sees
half a model. It scores once it was promoted. Not here: models that a training has stored and not
promoted yet (`unfinished_training`), their detectors (`stored_detectors`).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import date
from functools import lru_cache
from typing import Any

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.detector_files import detector_file, read_profiles
from usage_platform.adapters.stores.former_models import DESCRIPTIONS, former_detectors
from usage_platform.adapters.stores.stored_detectors import (
    DetectorCache,
    FormerDetectors,
    StoredDetectors,
)
from usage_platform.adapters.stores.unfinished_training import (
    MANIFEST,
    UnfinishedTraining,
    bucket_path,
    read_firsts,
    write_firsts,
)
from usage_platform.core.detector.manifest import Detector, Manifest, Model
from usage_platform.core.detector.week_profile import WeekProfile, week_profile

_PROMOTED = "promoted.json"
_FIELDS = {field.name for field in fields(Manifest)}
_REQUIRED = {field.name for field in fields(Manifest) if field.default is MISSING}


class ModelStore:
    """The models of one lake."""

    def __init__(self, files: LakeFiles) -> None:
        self._files = files
        self._cache = DetectorCache()
        self._load = lru_cache(maxsize=None)(self._read)
        self._manifest = lru_cache(maxsize=None)(self._read_manifest)
        self.training = UnfinishedTraining(files)
        """What a training has stored and not promoted yet; nobody else sees it."""

    def __reduce__(self) -> tuple[type["ModelStore"], tuple[LakeFiles]]:
        """Another process gets a store that has read nothing yet."""
        return ModelStore, (self._files,)

    @property
    def root(self) -> str:
        """The folder of the models, or `s3://bucket/prefix`."""
        return self._files.root

    def candidates(self) -> list[Manifest]:
        """All complete models, ascending by the time from which they score, then by training.

        Those of a training that has not ended are not among them.
        """
        found = [m for m in map(self._known, self._files.folders()) if m is not None]
        # Asked for last: once it holds none of them any more, they are promoted.
        pending = self.training.pending()
        found = [m for m in found if m.version not in pending]
        return sorted(found, key=lambda m: (m.begin, m.trained_at))

    def manifests(self) -> list[Manifest]:
        """The promoted models, in the same order; each scores until the next one does."""
        candidates = self.candidates()
        promoted = set(self.promoted())
        return [m for m in candidates if m.version in promoted]

    def newest_end(self, zone: str) -> date | None:
        """The newest local day that a model's history ends before; None without any model."""
        return max((m.end.tz_convert(zone).date() for m in self.candidates()), default=None)

    def promoted(self) -> list[str]:
        """The promoted versions, in the order in which they were promoted."""
        return self._files.read_json(_PROMOTED) or []

    def promote(self, versions: Sequence[str]) -> None:
        """Promote models, all at once; one that is promoted already stays where it is.

        Raises:
            FileNotFoundError: If there is no such model.
        """
        for version in versions:
            if self._known(version) is None:
                raise FileNotFoundError(f"model {version}: not in the store")
        self._add_to_promoted(versions)

    def end_training(self, promoted: Sequence[str]) -> None:
        """Promote models of the training, all at once, and show the others as candidates.

        Nobody sees one of them before the others: whoever looks in between sees none. After a kill
        in between, the training that continues does this again.

        Args:
            promoted: The versions of those to promote, ascending by `judges_from`.
        """
        self._add_to_promoted(promoted)
        self.training.forget()

    def take_back(self) -> str | None:
        """Put the model that was promoted last back; the one before it scores again.

        Returns:
            Its version; None when only one is promoted.
        """
        before = [version for version in self.promoted() if self._known(version) is not None]
        if len(before) < 2:
            return None
        self._write_promoted(before[:-1])
        return before[-1]

    def load(self, version: str) -> Model:
        """A complete model; each detector is read when it is asked for.

        Raises:
            FileNotFoundError: If there is none of that version.
        """
        return self._load(version)

    def detectors(self, version: str | None) -> Mapping[str, Detector]:
        """The detectors of a complete model, each read when it is asked for; none of no model."""
        return {} if version is None else self.load(version).detectors

    def profiles(self, version: str) -> Iterator[tuple[str, WeekProfile | None]]:
        """The meters of a complete model with what is expected of them, in any order."""
        if self._files.exists(f"{version}/{DESCRIPTIONS}"):
            detectors = self.load(version).detectors
            yield from ((name, week_profile(detectors[name])) for name in detectors)
        else:
            for number in range(len(read_firsts(self._files, version))):
                yield from read_profiles(self._files, bucket_path(version, number))

    def save(self, model: Model) -> bool:
        """Write a model; one of the same version is left as it is.

        Returns:
            Whether it was new.
        """
        version, names = model.manifest.version, sorted(model.detectors)
        if self._known(version) is not None:
            return False
        if names:
            with detector_file(self._files, bucket_path(version, 0)) as writer:
                for name in names:
                    writer.write(name, model.detectors[name])
        write_firsts(self._files, version, names[:1])
        self._files.write_text(f"{version}/{MANIFEST}", json.dumps(model.manifest.as_dict()))
        return True

    def remove(self, version: str) -> None:
        """Delete a model; to be called for one that scores nothing (`core.detector.retention`)."""
        # Without a manifest it is no model: a deletion that is cut short leaves nothing half.
        self._files.delete(f"{version}/{MANIFEST}")
        self._files.delete_folder(version)

    def bytes_of(self, version: str) -> int:
        """The bytes of a model's files."""
        return self._files.bytes_in(version)

    def _add_to_promoted(self, versions: Sequence[str]) -> None:
        before = self.promoted()
        self._write_promoted([*before, *(v for v in versions if v not in before)])

    def _write_promoted(self, versions: list[str]) -> None:
        self._files.write_text(_PROMOTED, json.dumps(versions, indent=1))

    def _known(self, version: str) -> Manifest | None:
        try:
            return self._manifest(version)
        except FileNotFoundError:
            return None

    def _read_manifest(self, version: str) -> Manifest:
        given: dict[str, Any] = self._files.read_json(f"{version}/{MANIFEST}") or {}
        if not _REQUIRED <= given.keys() <= _FIELDS:
            # Not complete yet, or of a version of the platform with other models.
            raise FileNotFoundError(f"model {version}: not in the store")
        return Manifest(**given)

    def _read(self, version: str) -> Model:
        manifest = self._read_manifest(version)
        detectors: Mapping[str, Detector]
        if self._files.exists(f"{version}/{DESCRIPTIONS}"):
            detectors = FormerDetectors(
                version, former_detectors(self._files, version), self._cache
            )
        else:
            firsts = read_firsts(self._files, version)
            paths = [bucket_path(version, number) for number in range(len(firsts))]
            detectors = StoredDetectors(self._files, paths, firsts, self._cache)
        return Model(manifest, detectors)
