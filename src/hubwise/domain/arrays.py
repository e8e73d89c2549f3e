"""Array types, once for all rooms; what an array's shape and unit are stands where it is used."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Index = NDArray[np.int64]
Flags = NDArray[np.bool_]
Names = NDArray[np.str_]
