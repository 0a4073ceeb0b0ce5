"""The maximum along an axis, of which the first of equal numbers has the derivative (`attn_core.spec.primitives`)."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array


@partial(jax.custom_jvp, nondiff_argnums=(1,))
def largest(x: Array, axis: int) -> Array:
    """Return the maximum along an axis, which stays; of equal numbers, the first has the derivative."""
    return jnp.max(x, axis, keepdims=True)


@largest.defjvp
def _moved(axis: int, primals: tuple[Array], tangents: tuple[Array]) -> tuple[Array, Array]:
    """Take what the first of the largest numbers moves by.

    Comparing with the maximum would be wrong at times: XLA may compute x once for the maximum and again, rounded
    otherwise, for the comparison, and then no number equals the maximum. A barrier before both does not hold it from
    that. An index is always found.
    """
    x, moved = primals[0], tangents[0]
    top, first = _with_index(x, axis)
    is_first = jax.lax.broadcasted_iota(first.dtype, x.shape, axis) == first
    return top, jnp.sum(jnp.where(is_first, moved, 0), axis, keepdims=True)


def _with_index(x: Array, axis: int) -> tuple[Array, Array]:
    """Return the maximum and the index of the first that is as large; the axis stays.

    On processors, `argmax` looks at number after number and takes ten times as long as a maximum. So the axis is cut
    into pieces: it looks at their maxima, then into the first piece with the largest.
    """
    length = x.shape[axis]
    pieces = max(n for n in range(1, math.isqrt(length) + 1) if length % n == 0) if length else 1
    if pieces == 1:
        return jnp.max(x, axis, keepdims=True), jnp.argmax(x, axis, keepdims=True)
    each = length // pieces
    cut = x.reshape(*x.shape[:axis], pieces, each, *x.shape[axis + 1 :])
    tops = jnp.max(cut, axis + 1)
    chosen = jnp.argmax(tops, axis, keepdims=True)
    piece = jnp.take_along_axis(cut, jnp.expand_dims(chosen, axis + 1), axis).squeeze(axis)
    return jnp.max(tops, axis, keepdims=True), chosen * each + jnp.argmax(piece, axis, keepdims=True)
