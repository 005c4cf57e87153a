"""Models as Parquet and JSON under the lake's `models/`, never a pickle.

Belongs here: writing and reading models, on a disk or on S3. A model is complete once its manifest
is there, and the manifest is written last: a reader never sees half a model.
"""

import json
from dataclasses import asdict
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from usage_platform.adapters.lake_files import LakeFiles
from usage_platform.core.meters import Meter
from usage_platform.core.model import Manifest, Model
from usage_platform.core.slot_forests import SlotForests

_MANIFEST, _SLOTS, _STEPS, _METERS = (
    "manifest.json",
    "slots.parquet",
    "steps.parquet",
    "meters.json",
)


class ModelStore:
    """The models of one lake."""

    def __init__(self, files: LakeFiles) -> None:
        self._files = files
        self._load = lru_cache(maxsize=4)(self._read)

    def manifests(self) -> list[Manifest]:
        """The complete models, ascending by the end of their history, then by training time."""
        found = []
        for folder in self._files.folders():
            text = self._files.read_text(f"{folder}/{_MANIFEST}")
            if text is not None:
                found.append(Manifest(**json.loads(text)))
        return sorted(found, key=lambda m: (m.window_end, m.trained_at))

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
        if self._files.read_text(f"{version}/{_MANIFEST}") is not None:
            return False
        slots, steps = _tables(model)
        self._write_table(f"{version}/{_SLOTS}", slots)
        self._write_table(f"{version}/{_STEPS}", steps)
        meters = [asdict(f.meter) for f in model.forests.values()]
        self._files.write_text(f"{version}/{_METERS}", json.dumps(meters, indent=1))
        self._files.write_text(
            f"{version}/{_MANIFEST}", json.dumps(model.manifest.as_dict(), indent=1)
        )
        return True

    def _write_table(self, name: str, table: pa.Table) -> None:
        with self._files.open_output(name) as out:
            pq.write_table(table, out, compression="zstd")

    def _read(self, version: str) -> Model:
        text = self._files.read_text(f"{version}/{_MANIFEST}")
        meters = self._files.read_text(f"{version}/{_METERS}")
        if text is None or meters is None:
            raise FileNotFoundError(f"model {version}: not in the store")
        slots = self._read_table(f"{version}/{_SLOTS}")
        steps = self._read_table(f"{version}/{_STEPS}")
        forests = {
            spec["name"]: _forests(Meter(**spec), slots, steps) for spec in json.loads(meters)
        }
        return Model(Manifest(**json.loads(text)), forests)

    def _read_table(self, name: str) -> pa.Table:
        with self._files.open_input(name) as source:
            return pq.read_table(source)


def _tables(model: Model) -> tuple[pa.Table, pa.Table]:
    slots, steps = [], []
    for name, forest in model.forests.items():
        count = len(forest.comparables)
        slots.append(
            pa.table(
                {
                    "meter": pa.array([name] * count, pa.string()),
                    "slot": np.arange(count),
                    "comparables": forest.comparables,
                    "expected_low": forest.low,
                    "expected_high": forest.high,
                    "steps": np.diff(forest.starts),
                }
            )
        )
        steps.append(
            pa.table(
                {
                    "meter": pa.array([name] * len(forest.cuts), pa.string()),
                    "cut": forest.cuts,
                    "score": forest.scores,
                }
            )
        )
    return pa.concat_tables(slots), pa.concat_tables(steps)


def _forests(meter: Meter, slots: pa.Table, steps: pa.Table) -> SlotForests:
    own_slots = slots.filter(pc.call_function("equal", [slots["meter"], meter.name]))
    own_steps = steps.filter(pc.call_function("equal", [steps["meter"], meter.name]))
    lengths = own_slots["steps"].to_numpy()
    return SlotForests(
        meter=meter,
        comparables=own_slots["comparables"].to_numpy(),
        low=own_slots["expected_low"].to_numpy(),
        high=own_slots["expected_high"].to_numpy(),
        starts=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        cuts=own_steps["cut"].to_numpy(),
        scores=own_steps["score"].to_numpy(),
    )
