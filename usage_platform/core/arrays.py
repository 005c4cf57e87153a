"""Names for the types of numpy arrays that the core takes and returns."""

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Int32s = npt.NDArray[np.int32]
"""For columns of which there may be ten million: half the memory of `Ints`."""
Integers = npt.NDArray[np.integer[Any]]
"""Integers of any length, where only their values matter."""
