"""Images to run blocks and networks on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def sample_image(shape: tuple[int, ...], seed: int = 0) -> NDArray[np.float64]:
    """Draw an image: noise plus an offset for each sample and channel.

    Without the offset all spatial means are nearly 0, and a gate computed from them says nothing.
    """
    rng = np.random.default_rng(seed)
    return rng.standard_normal(shape) + rng.standard_normal(shape[:2] + (1,) * (len(shape) - 2))
