"""Numbers that a program wrote, from the float32 that the graph holds of them."""

from __future__ import annotations

import numpy as np

from attn_core.porting.network.steps.lift import Unsupported

NUMBER = "{number}"  # where a plain number stands among the inputs of a step


def shortest(value: float) -> float:
    """Return the shortest decimal number with the same float32. **Raises** `Unsupported` if it is not finite."""
    single = np.float32(value)
    if not np.isfinite(single):
        raise Unsupported("it reads a number that is not finite")
    # A float32 is not the number that was written: of an epsilon of 0.001 it is 0.0010000000474974513.
    return float(str(single))
