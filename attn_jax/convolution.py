"""Convolutions with TensorFlow's SAME, for sizes that may be symbols of `jax.export`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from attn_core.spec.windows import margins


def convolve(
    x: Array, kernel: Array, strides: Sequence[int], padding: Any, *, rhs_dilation: Sequence[int], **options: Any
) -> Array:
    """Do as `lax.conv_general_dilated`, but let all layers name the number of windows along a symbol alike.

    JAX's own SAME has another expression of it for each length of a window, and cannot tell that they are equal, as
    those of a convolution and of a shortcut around it.
    """
    is_open = any(jax.export.is_symbolic_dim(size) for size in x.shape[1:-1])
    if padding == "SAME" and is_open:
        reach = [rate * (n - 1) + 1 for rate, n in zip(rhs_dilation, kernel.shape, strict=False)]
        x, strides = _strided(x, reach, strides)
        sizes = zip(x.shape[1:-1], reach, strides, strict=True)
        x = _padded(x, [margins(size, length, stride, "same") for size, length, stride in sizes])
        padding = "VALID"
    found: Array = jax.lax.conv_general_dilated(x, kernel, strides, padding, rhs_dilation=rhs_dilation, **options)
    return found


def _strided(x: Array, reach: Sequence[int], strides: Sequence[int]) -> tuple[Array, list[int]]:
    """Leave out the pixels that windows of one pixel do not see, along axes where these have strides."""
    left = list(strides)
    for axis, (length, stride) in enumerate(zip(reach, strides, strict=True), 1):
        if length == 1 and stride > 1:
            size, windows = x.shape[axis], (x.shape[axis] + stride - 1) // stride
            sides = [(0, 0)] * len(reach)
            sides[axis - 1] = (0, windows * stride - size)
            x = _padded(x, sides).reshape(*x.shape[:axis], windows, stride, *x.shape[axis + 1 :])
            x = jax.lax.index_in_dim(x, 0, axis + 1, keepdims=False)
            left[axis - 1] = 1
    return x, left


def _padded(x: Array, sides: Sequence[tuple[Any, Any]]) -> Array:
    """Add zeros before and after each spatial axis."""
    along = [(before, after, 0) for before, after in ((0, 0), *sides, (0, 0))]
    return jax.lax.pad(x, jnp.zeros((), x.dtype), along)
