"""Pools. A window has a length along every axis, channels too, so that the layout makes no difference."""

from functools import reduce

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Lengths, Operation, integers, vector
from attn_core.porting.graph.ops.windows import Sides, padded, sides, views


def _mean_pool(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Average over the pixels that are there."""
    (x,) = inputs
    lengths, strides, around = _windows(node, x, integers(node, "ksize"), integers(node, "strides"))
    total = _sum(padded(x, around), lengths, strides)
    for axis, (size, length, stride, margin) in enumerate(zip(x.shape, lengths, strides, around, strict=True)):
        there = _sum(padded(np.ones(size, x.real.dtype), [margin]), (length,), (stride,))
        total = total / there.reshape(-1, *(1,) * (x.ndim - 1 - axis))
    return total


def _max_pool(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Take the largest; version 2 has the windows among its inputs."""
    x, *numbers = inputs
    given = [vector(each) for each in numbers] or [integers(node, "ksize"), integers(node, "strides")]
    lengths, strides, around = _windows(node, x, *given)
    least = -np.inf if x.dtype.kind in "fc" else np.iinfo(x.dtype).min
    return reduce(_larger, (view for _, view in views(padded(x, around, least), lengths, strides, (1,) * x.ndim)))


def _windows(node: Node, x: Array, lengths: Lengths, strides: Lengths) -> tuple[Lengths, Lengths, Sides]:
    if not len(lengths) == len(strides) == x.ndim:
        raise ValueError(f"a window of {list(lengths)} in steps of {list(strides)} does not fit {x.ndim} axes")
    return lengths, strides, sides(node, x.shape, lengths, strides, slice(None))


def _sum(x: Array, lengths: Lengths, strides: Lengths) -> Array:
    return reduce(np.add, (view for _, view in views(x, lengths, strides, (1,) * x.ndim)))


def _larger(a: Array, b: Array) -> Array:
    return np.where(b.real > a.real, b, a) if np.iscomplexobj(a) else np.maximum(a, b)


OPS: dict[str, Operation] = {
    "AvgPool": _mean_pool,
    "AvgPool3D": _mean_pool,
    "MaxPool": _max_pool,
    "MaxPoolV2": _max_pool,
    "MaxPool3D": _max_pool,
}
