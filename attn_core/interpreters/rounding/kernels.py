"""Primitives of which frameworks have kernels that round elsewhere than the reference."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from attn_core.interpreters.reference import ops
from attn_core.interpreters.rounding.number import Rounded, Source


def attend(query: Rounded, key: Rounded, value: Rounded, factor: float) -> Rounded:
    """See `Primitives.attend`, as a kernel that keeps the logarithms of the rows' sums in place of the matrix.

    On the way back it computes the matrix again from them, and takes the rows' sums of adjoints from its output
    (Dao: FlashAttention-2, arXiv:2307.08691, algorithm 2): with large scores, both cost digits.
    """
    q, k, v = query.real, key.real, value.real
    scores = _scores(q, k, factor)
    scores_again = _scores(q, k, factor)  # with roundings of their own
    top = scores.max(-1, keepdims=True)
    sums = np.exp(scores - top).sum(-1, keepdims=True)
    logarithms = top + np.log(sums)
    output: Any = np.exp(scores - logarithms) @ v
    matrix: Any = np.exp(scores_again - logarithms)
    result = output.real

    def of_scores(g: Rounded) -> Any:
        of_matrix = g @ _turned(v)
        rows = (g * result).sum(-1, keepdims=True)
        return factor * (matrix * (of_matrix - rows))

    to_query = Source(query, lambda g: of_scores(g) @ k)
    to_key = Source(key, lambda g: _turned(of_scores(g)) @ q)
    to_value = Source(value, lambda g: _turned(matrix) @ g)
    return Rounded(output.value, output.noise, output.how, (to_query, to_key, to_value))


def _scores(q: Rounded, k: Rounded, factor: float) -> Any:
    return factor * (q @ _turned(k))


def _turned(matrices: Any) -> Any:
    """Return (batch, rows, columns) as (batch, columns, rows)."""
    return matrices.swapaxes(1, 2)


# What the reference is run with in place of its own primitives.
KERNELS = SimpleNamespace(**vars(ops) | {"attend": attend})
