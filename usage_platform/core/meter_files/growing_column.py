"""A column of unknown length, filled part by part.

Belongs here: growing in place. Not here: what the columns are (`joined_rows`, `conversion`).
"""

from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

_GROWTH = 1.125
_Scalar = TypeVar("_Scalar", bound=np.generic)


class GrowingColumn(Generic[_Scalar]):
    """An array that grows in place: a list of parts and their concatenation would be two.

    Args:
        dtype: The type of its values.
    """

    def __init__(self, dtype: np.dtype[_Scalar]) -> None:
        self._array: npt.NDArray[Any] = np.empty(0, dtype)
        self._count = 0

    def add(self, values: npt.NDArray[_Scalar]) -> None:
        """Add values at the end."""
        end = self._count + len(values)
        if end > len(self._array):
            # No view of it exists before `array`.
            self._array.resize(int(end * _GROWTH), refcheck=False)
        self._array[self._count : end] = values
        self._count = end

    def array(self) -> npt.NDArray[_Scalar]:
        """All values; nothing may be added afterwards."""
        self._array.resize(self._count, refcheck=False)
        return self._array
