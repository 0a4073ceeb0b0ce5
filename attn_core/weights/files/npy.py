"""Arrays in NumPy's own format, from files that are hostile until proven otherwise."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files.arrays import require_possible


def parse(data: bytes) -> NDArray[Any]:
    """Read an .npy file of real numbers whose header claims just the bytes that follow it. **Raises** `ValueError`."""
    stream = io.BytesIO(data)
    first = np.lib.format.read_magic(stream) == (1, 0)
    header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
    shape, _, dtype = header(stream)
    size, held = dtype.itemsize * math.prod(shape), len(data) - stream.tell()
    require_possible(shape)
    if dtype.kind not in "fiu" or size != held:
        raise ValueError(f"its header says {dtype} of shape {shape}, {held} bytes follow")
    stream.seek(0)
    array: NDArray[Any] = np.lib.format.read_array(stream, allow_pickle=False)
    return array
