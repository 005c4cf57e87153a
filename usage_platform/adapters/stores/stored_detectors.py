"""The detectors of a stored model, each read when it is asked for.

Belongs here: finding a meter's detector among a model's files, and which detectors stay in memory.
Not here: the files themselves (`detector_files`), which models there are (`models`).
"""

import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from weakref import WeakValueDictionary

from usage_platform.adapters.lake.files import LakeFiles
from usage_platform.adapters.stores.detector_files import index_of, read_detector
from usage_platform.core.detector.manifest import Detector

KEPT_DETECTORS = 128
"""Detectors that stay in memory although nobody uses them: a meter's of two years, about 200 MB."""

# Meters are scored by name, and files have meters that follow each other by name.
_KEPT_INDEXES = 2

Key = tuple[str, str]


class DetectorCache:
    """Detectors by version and meter: those in use, and the last ones that were.

    A detector that a scorer holds is not read again; one that nobody holds takes memory only as one
    of the last.
    """

    def __init__(self, most: int = KEPT_DETECTORS) -> None:
        self._most = most
        self._used: WeakValueDictionary[Key, Detector] = WeakValueDictionary()
        self._last: OrderedDict[Key, Detector] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Key, read: Callable[[], Detector]) -> Detector:
        """The detector of a key, read where it is not in memory."""
        with self._lock:
            found = self._used.get(key)
        if found is None:
            found = read()
        with self._lock:
            # Of two threads that have read the same, both use the first one's.
            found = self._used.setdefault(key, found)
            self._last[key] = found
            self._last.move_to_end(key)
            while len(self._last) > self._most:
                self._last.popitem(last=False)
        return found


class StoredDetectors(Mapping[str, Detector]):
    """The detectors of one model by meter, in files of meters that follow each other by name."""

    def __init__(
        self, files: LakeFiles, paths: Sequence[str], firsts: Sequence[str], cache: DetectorCache
    ) -> None:
        """Know the files.

        Args:
            files: The folder of all models.
            paths: The files, in the order of their meters.
            firsts: Up to which name, exclusively, the file before ends: the first meter of each.
            cache: What is in memory.
        """
        self._files = files
        self._paths = paths
        self._firsts = firsts
        self._cache = cache
        self._positions: dict[str, dict[str, int]] = {}
        self._index = lru_cache(maxsize=_KEPT_INDEXES)(partial(index_of, files))

    def __getitem__(self, name: str) -> Detector:
        """The detector of a meter."""
        bucket = bisect_right(self._firsts, name) - 1
        if bucket < 0:
            raise KeyError(name)
        path = self._paths[bucket]
        if name not in self._in(path):
            raise KeyError(name)
        return self._cache.get((path, name), lambda: self._read(path, name))

    def __contains__(self, name: object) -> bool:
        """Whether the meter has a detector; none is read."""
        bucket = bisect_right(self._firsts, str(name)) - 1
        return bucket >= 0 and name in self._in(self._paths[bucket])

    def __iter__(self) -> Iterator[str]:
        """The meters, sorted."""
        for path in self._paths:
            yield from self._in(path)

    def __len__(self) -> int:
        """The number of meters."""
        return sum(len(self._in(path)) for path in self._paths)

    def _in(self, path: str) -> dict[str, int]:
        if path not in self._positions:
            self._positions[path] = self._index(path).positions
        return self._positions[path]

    def _read(self, path: str, name: str) -> Detector:
        return read_detector(self._files, path, self._index(path), name)


class FormerDetectors(Mapping[str, Detector]):
    """The detectors of a model that an earlier release wrote."""

    def __init__(
        self, version: str, readers: Mapping[str, Callable[[], Detector]], cache: DetectorCache
    ) -> None:
        self._version = version
        self._readers = readers
        self._cache = cache

    def __getitem__(self, name: str) -> Detector:
        """The detector of a meter."""
        return self._cache.get((self._version, name), self._readers[name])

    def __iter__(self) -> Iterator[str]:
        """The meters."""
        return iter(self._readers)

    def __len__(self) -> int:
        """The number of meters."""
        return len(self._readers)
