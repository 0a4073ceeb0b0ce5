"""Primitives of which frameworks have kernels that round elsewhere than the reference."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from attn_core.interpreters.reference import ops
from attn_core.interpreters.rounding.number import Rounded


def attend(query: Rounded, key: Rounded, value: Rounded, factor: float) -> Rounded:
    """See `Primitives.attend`, as a kernel that keeps the logarithms of the rows' sums in place of the matrix.

    On the way back it computes the matrix again from them, and takes the rows' sums of adjoints from its output
    (Dao: FlashAttention-2, arXiv:2307.08691, algorithm 2): with large scores, both cost digits.
    """
    q, k, v = query.real, key.real, value.real
    scores, again = (_scores(q, k, factor) for _ in range(2))  # each time with roundings of its own
    top = scores.max(-1, keepdims=True)
    logarithms = top + np.log(np.exp(scores - top).sum(-1, keepdims=True))
    output: Any = np.exp(scores - logarithms) @ v
    matrix: Any = np.exp(again - logarithms)
    result = output.real

    def of_scores(g: Rounded) -> Any:
        return factor * (matrix * (g @ v.swapaxes(1, 2) - (g * result).sum(-1, keepdims=True)))

    sources = (
        (query, lambda g: of_scores(g) @ k),
        (key, lambda g: of_scores(g).swapaxes(1, 2) @ q),
        (value, lambda g: matrix.swapaxes(1, 2) @ g),
    )
    return Rounded(output.value, output.noise, output.how, sources)


def _scores(q: Rounded, k: Rounded, factor: float) -> Any:
    return factor * (q @ k.swapaxes(1, 2))


KERNELS = SimpleNamespace(**vars(ops) | {"attend": attend})
