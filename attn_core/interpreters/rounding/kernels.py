"""Primitives of which frameworks have kernels that round elsewhere than the reference."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from attn_core.interpreters.reference import ops
from attn_core.interpreters.rounding.number import Origin, Rounded
from attn_core.interpreters.rounding.sampling import sample


def attend(query: Rounded, key: Rounded, value: Rounded, factor: float) -> Rounded:
    """See `Primitives.attend`, as a kernel that keeps the logarithms of the rows' sums in place of the matrix.

    On the way back it computes the matrix again from them, and takes the rows' sums of adjoints from its output
    (Dao: FlashAttention-2, arXiv:2307.08691, algorithm 2): with large scores, both cost digits.
    """
    q, k, v = query.real, key.real, value.real
    scores = _scores(q, k, factor)
    scores_again = _scores(q, k, factor)  # with roundings of their own
    top = scores.max(-1, keepdims=True)
    powers = np.exp(scores - top)
    sums = powers.sum(-1, keepdims=True)
    logarithms = top + np.log(sums)
    softmax: Any = np.exp(scores - logarithms)
    output: Any = softmax @ v
    matrix: Any = np.exp(scores_again - logarithms)
    result = output.real

    # Each is the adjoint of what its name says, given that of the output.
    def scores_of(g: Rounded) -> Any:
        of_matrix = g @ _turned(v)
        rows = (g * result).sum(-1, keepdims=True)
        return factor * (matrix * (of_matrix - rows))

    def query_of(g: Rounded) -> Any:
        return scores_of(g) @ k

    def key_of(g: Rounded) -> Any:
        return _turned(scores_of(g)) @ q

    def value_of(g: Rounded) -> Any:
        return _turned(matrix) @ g

    sources = (Origin(query, query_of), Origin(key, key_of), Origin(value, value_of))
    return Rounded(output.value, output.noise, output.how, sources)


def centred_affine(x: Any, mean: Any, factor: Any, offset: Any) -> Rounded:
    """Return what norms end with, with the errors of the form that loses more digits, number by number.

    Kernels fold the constants, x * factor + (offset - mean * factor), which cancels where the mean is large; some do so
    outside of training only. All are `Rounded`.
    """
    stated: Any = ops.centred_affine(x, mean, factor, offset)
    constant: Any = offset - mean * factor
    folded: Any = ops.shift(ops.scale(x, factor), constant)
    is_worse = folded.spread > stated.spread
    noise = np.where(is_worse, folded.noise, stated.noise)
    return Rounded(stated.value, noise, stated.how, stated.sources)


def _scores(q: Rounded, k: Rounded, factor: float) -> Any:
    return factor * (q @ _turned(k))


def _turned(matrices: Any) -> Any:
    """Return (batch, rows, columns) as (batch, columns, rows)."""
    return matrices.swapaxes(1, 2)


# What the reference is run with in place of its own primitives.
KERNELS = SimpleNamespace(**vars(ops) | {"attend": attend, "centred_affine": centred_affine, "sample": sample})
