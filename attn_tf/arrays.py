"""What the primitives in `keras.ops` are made of, and how wide they compute."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any

import keras
from keras import ops

from attn_core.interpreters.shapes import require_floating

HALVES = ("float16", "bfloat16")
# A product of two matrices in each sample, such as bij,bjk->bik; or bij,bjk->bk, its rows summed.
PRODUCT = re.compile(r"(\w)(?!\1)(\w)(?!\1|\2)(\w),\1\3(?!\1|\2|\3)(\w)->\1(?P<kept>\2?)\4")


def kind(x: Any) -> str:
    """Return the name of an array's type."""
    return str(keras.backend.standardize_dtype(x.dtype))


def wide(x: Any) -> str:
    """Return the type to compute in: the array's own, but float32 for half precision."""
    return "float32" if kind(x) in HALVES else kind(x)


def widened(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let a method compute in float32 what it is given in half precision, and round its result once."""

    @wraps(function)
    def run(self: Any, x: Any, *rest: Any) -> Any:
        if kind(x) not in HALVES:
            return function(self, x, *rest)
        inputs = (ops.cast(a, wide(a)) if hasattr(a, "dtype") else a for a in (x, *rest))
        return ops.cast(function(self, *inputs), x.dtype)

    return run


def require_numbers(x: Any) -> None:
    """Raise `TypeError` for an array of integers."""
    require_floating(kind(x), keras.backend.is_float_dtype(kind(x)))


def count(x: Any, axes: Iterable[int], dtype: Any = None) -> Any:
    """Return how many numbers stand along the axes, in the type of x or another."""
    return ops.cast(math.prod(ops.shape(x)[axis] for axis in axes), dtype or x.dtype)


def max_pool(x: Any, window: tuple[int, ...], strides: tuple[int, ...], padding: str) -> Any:
    """Pool an image with its channels last; of three axes in two steps, as TensorFlow cannot in float64."""
    if len(window) < 3:
        return ops.max_pool(x, _alike(window), _alike(strides), padding, "channels_last")
    batch, depth, *rest = ops.shape(x)
    planes = max_pool(ops.reshape(x, (batch * depth, *rest)), window[1:], strides[1:], padding)
    _, height, width, channels = ops.shape(planes)
    columns = ops.reshape(planes, (batch, depth, height * width, channels))
    pooled = max_pool(columns, (window[0], 1), (strides[0], 1), padding)
    return ops.reshape(pooled, (batch, ops.shape(pooled)[1], height, width, channels))


def _alike(numbers: tuple[int, ...]) -> int | tuple[int, ...]:
    """Return one number for several that are alike: a file has a list of several, which Keras 3.15 on JAX refuses."""
    return numbers[0] if len(set(numbers)) == 1 else numbers


def cut(x: Any, axis: int, groups: int) -> Any:
    """Cut an axis into (groups, length / groups)."""
    sizes: list[Any] = list(ops.shape(x))
    sizes[axis : axis + 1] = [groups, sizes[axis] // groups]
    return ops.reshape(x, sizes)


def einsum(equation: str, *operands: Any) -> Any:
    """Return what Keras' own does; in TensorFlow, where its gradients take twice as long, products are `matmul`."""
    product = PRODUCT.fullmatch(equation)
    if product is None or keras.backend.backend() != "tensorflow":
        return ops.einsum(equation, *operands)
    result = ops.matmul(*operands)
    return result if product["kept"] else ops.sum(result, 1)


def softmax(x: Any) -> Any:
    """Return exponentials over the last axis, divided by their sum; of a single number, Keras would warn."""
    return ops.exp(x - x) if x.shape[-1] == 1 else ops.softmax(x, -1)


def length(x: Any, axes: Any, keepdims: bool = False) -> Any:
    """Return the Euclidean length over some axes; its derivative at 0 is 0, not NaN."""
    square = ops.sum(x * x, axes, keepdims=keepdims)
    positive = square > 0
    return ops.where(positive, ops.sqrt(ops.where(positive, square, ops.ones_like(square))), ops.zeros_like(square))
