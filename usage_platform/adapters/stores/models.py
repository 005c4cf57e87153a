"""Models as Parquet and JSON under the lake's `models/`, never a pickle.

Belongs here: writing and reading models, on a disk or on S3, and which of them are in force. A
model is complete once its manifest is there, and the manifest is written last: a reader never sees
half a model. It judges once it was promoted.
"""

import json
from collections.abc import Sequence
from dataclasses import fields
from datetime import date
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.model_tables import (
    ARRAYS,
    NODES,
    SLOTS,
    STEPS,
    from_tables,
    to_tables,
)
from usage_platform.core.detector.manifest import Manifest, Model

_MANIFEST, _DETECTORS, _PROMOTED = "manifest.json", "detectors.json", "promoted.json"
_KEPT_IN_MEMORY = 8


class ModelStore:
    """The models of one lake."""

    def __init__(self, files: LakeFiles) -> None:
        self._files = files
        self._load = lru_cache(maxsize=_KEPT_IN_MEMORY)(self._read)
        self._manifest = lru_cache(maxsize=None)(self._read_manifest)

    def candidates(self) -> list[Manifest]:
        """All complete models, ascending by the time from which they judge, then by training."""
        found = [m for m in map(self._known, self._files.folders()) if m is not None]
        return sorted(found, key=lambda m: (m.begin, m.trained_at))

    def manifests(self) -> list[Manifest]:
        """The models in force, in the same order; each judges until the next one does."""
        promoted = set(self.promoted())
        return [m for m in self.candidates() if m.version in promoted]

    def newest_end(self, zone: str) -> date | None:
        """The newest local day that a model's history ends before; None without any model."""
        return max((m.end.tz_convert(zone).date() for m in self.candidates()), default=None)

    def promoted(self) -> list[str]:
        """The versions in force, in the order in which they were promoted."""
        return self._files.read_json(_PROMOTED) or []

    def promote(self, versions: Sequence[str]) -> None:
        """Put models in force, all at once; one that is in force already stays where it is.

        Raises:
            FileNotFoundError: If there is no such model.
        """
        for version in versions:
            if self._known(version) is None:
                raise FileNotFoundError(f"model {version}: not in the store")
        self._put_in_force(versions)

    def add(self, models: Sequence[Model], promoted: Sequence[str]) -> None:
        """Write models, some of which are in force from the moment when they are there.

        Their names are written first: whoever looks in between, or goes on after a kill, finds no
        model that is there and is to be put in force only later.

        Args:
            models: The models, ascending by `judges_from`.
            promoted: The versions of those to put in force.
        """
        self._put_in_force(promoted)
        for model in models:
            self.save(model)

    def take_back(self) -> str | None:
        """Put the model that was promoted last out of force; the one before it judges again.

        Returns:
            Its version; None when only one is in force.
        """
        before = [version for version in self.promoted() if self._known(version) is not None]
        if len(before) < 2:
            return None
        self._write_promoted(before[:-1])
        return before[-1]

    def load(self, version: str) -> Model:
        """A complete model, kept in memory after the first time.

        Raises:
            FileNotFoundError: If there is none of that version.
        """
        return self._load(version)

    def save(self, model: Model) -> bool:
        """Write a model; one of the same version is left as it is.

        Returns:
            Whether it was new.
        """
        version = model.manifest.version
        if self._known(version) is not None:
            return False
        described, tables = to_tables(model.detectors)
        for name, table in tables.items():
            with self._files.open_output(f"{version}/{name}.parquet") as out:
                pq.write_table(table, out, compression="zstd")
        self._files.write_text(f"{version}/{_DETECTORS}", json.dumps(described, indent=1))
        self._files.write_text(
            f"{version}/{_MANIFEST}", json.dumps(model.manifest.as_dict(), indent=1)
        )
        return True

    def _put_in_force(self, versions: Sequence[str]) -> None:
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
        given: dict[str, Any] = self._files.read_json(f"{version}/{_MANIFEST}") or {}
        if set(given) != {field.name for field in fields(Manifest)}:
            # Not complete yet, or of a version of the platform with other models.
            raise FileNotFoundError(f"model {version}: not in the store")
        return Manifest(**given)

    def _read(self, version: str) -> Model:
        manifest = self._read_manifest(version)
        described = self._files.read_json(f"{version}/{_DETECTORS}") or []
        tables = {
            name: self._read_table(f"{version}/{name}.parquet")
            for name in (SLOTS, STEPS, ARRAYS, NODES)
            if self._files.exists(f"{version}/{name}.parquet")
        }
        return Model(manifest, from_tables(described, tables))

    def _read_table(self, name: str) -> pa.Table:
        with self._files.open_input(name) as source:
            return pq.read_table(source)
