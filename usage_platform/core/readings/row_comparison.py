"""Two tables compared by the hashes of their rows.

Belongs here: which rows are missing, too many or different, and a digest of each table. Not here:
what a table should hold (`quality`, `audit`).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd


@dataclass(frozen=True)
class RowComparison:
    """A table against what it should be.

    Attributes:
        compared: Keys in either.
        missing: Keys that the table lacks.
        extra: Keys that it should not have, and rows beyond the first of a key.
        different: Keys whose row is another one.
        expected_digest: SHA-256 over the hashes of the rows that should be there, in hex.
        actual_digest: The same of the rows that are there; equal just where nothing is wrong.
    """

    compared: int
    missing: int
    extra: int
    different: int
    expected_digest: str
    actual_digest: str

    @property
    def wrong(self) -> int:
        """Rows that are missing, too many or different."""
        return self.missing + self.extra + self.different


def compare_rows(
    expected: pd.DataFrame, actual: pd.DataFrame, keys: Sequence[str]
) -> RowComparison:
    """Compare two tables by the hashes of their rows; the order of rows does not matter.

    Args:
        expected: What should be there; a key is there once.
        actual: What is there, with at least the columns of `expected`, of the same kinds.
        keys: The columns that tell rows apart.
    """
    actual = actual[list(expected.columns)]
    # The kinds of numbers differ between files and frames, their values do not.
    numbers = {
        name: "float64" if "f" in {kind.kind, actual[name].dtype.kind} else "int64"
        for name, kind in expected.dtypes.items()
        if kind.kind in "iubf" and actual[name].dtype.kind in "iubf"
    }
    want, have = (_hashed(frame.astype(numbers), keys) for frame in (expected, actual))
    repeated = have.index.duplicated()
    once = have[~repeated]
    both = want.index.intersection(once.index)
    return RowComparison(
        compared=len(want.index.union(once.index)),
        missing=len(want) - len(both),
        extra=len(have) - len(both),
        different=int((want[both].to_numpy() != once[both].to_numpy()).sum()),
        expected_digest=_digest(want),
        actual_digest=_digest(have),
    )


def _hashed(frame: pd.DataFrame, keys: Sequence[str]) -> pd.Series:
    """Each row's hash (uint64), by the hash of its key."""
    return pd.Series(_row_hashes(frame), index=_row_hashes(frame[list(keys)]), dtype="uint64")


def _row_hashes(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    return pd.util.hash_pandas_object(frame, index=False).to_numpy().astype(np.uint64)


def _digest(hashed: pd.Series) -> str:
    ordered = np.sort(hashed.to_numpy("uint64")).astype("<u8")
    return hashlib.sha256(ordered.tobytes()).hexdigest()
