"""Where a runtime and the definition part ways: the first step whose result is out of its bound."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters import trace
from attn_core.interpreters.rounding import watched
from attn_core.parity.draws import Draw
from attn_core.parity.runtimes import Runtime
from attn_core.spec import Block


def parting(runtime: Runtime, block: Block, drawn: Draw, dtype: str) -> str:
    """Return the first step that differs, outside of training, or nothing if none does.

    The steps are those of the block's `forward` on the runtime's primitives and parts.
    """
    found = runtime.steps(block, drawn.weights, drawn.given, dtype)
    theirs = {(step.name, i): step for step, i in trace.counted(found)}
    for step, i in trace.counted(watched(block, drawn.weights, drawn.given, dtype)):
        other = theirs.get((step.name, i))
        if other is not None and not _agrees(other.output, step.output):
            return f"{step.name} ({step.kind})"
    return ""


def _agrees(found: NDArray[Any], wanted: Any) -> bool:
    """Whether an array is within its bound, with its channels in the second place or in the last."""
    turned = [np.moveaxis(found, -1, 1)] if found.ndim > 2 else []
    fitting = [array for array in (found, *turned) if array.shape == wanted.shape]
    return any(bool((np.abs(array - wanted.value) <= wanted.bound).all()) for array in fitting)
