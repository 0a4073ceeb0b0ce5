"""Reductions over axes."""

import math
from collections.abc import Callable

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, dtype, flag, scalar, vector

Reduction = Callable[[Array, tuple[int, ...]], Array]


def _over_axes(reduction: Reduction) -> Operation:
    """Return the operation whose second input lists the axes; none of them reduces nothing."""

    def run(node: Node, inputs: tuple[Array, ...]) -> Array:
        x, axes = inputs
        each = tuple(axis + x.ndim if axis < 0 else axis for axis in vector(axes))
        reduced = np.asarray(reduction(x, each))  # of the axes that are left
        return np.asarray(np.expand_dims(reduced, each)) if flag(node, "keep_dims") else reduced

    return run


def _sum(x: Array, axes: tuple[int, ...]) -> Array:
    return np.asarray(x.sum(axes, dtype=x.dtype))


def _mean(x: Array, axes: tuple[int, ...]) -> Array:
    if x.dtype.kind in "fc":
        return np.asarray(x.mean(axes))
    count = math.prod(x.shape[axis] for axis in axes)
    return np.asarray(np.trunc(_sum(x, axes) / count).astype(x.dtype))


def _prod(x: Array, axes: tuple[int, ...]) -> Array:
    return np.asarray(x.prod(axes, dtype=x.dtype))


def _max(x: Array, axes: tuple[int, ...]) -> Array:
    return _chosen(x, axes, np.argmax) if np.iscomplexobj(x) else np.asarray(x.max(axes))


def _min(x: Array, axes: tuple[int, ...]) -> Array:
    return _chosen(x, axes, np.argmin) if np.iscomplexobj(x) else np.asarray(x.min(axes))


def _chosen(x: Array, axes: tuple[int, ...], choose: Callable[..., Array]) -> Array:
    """Return the number whose real part is the largest or smallest."""
    last = np.moveaxis(x, axes, range(-len(axes), 0))
    flat = last.reshape(*last.shape[: x.ndim - len(axes)], -1)
    return np.take_along_axis(flat, np.expand_dims(choose(flat.real, -1), -1), -1)[..., 0]


def _place(choose: Callable[..., Array]) -> Operation:
    def run(node: Node, inputs: tuple[Array, ...]) -> Array:
        x, axis = inputs
        return np.asarray(choose(x.real, scalar(axis))).astype(dtype(node, "output_type", "int64"))

    return run


OPS: dict[str, Operation] = {
    "Sum": _over_axes(_sum),
    "Mean": _over_axes(_mean),
    "Prod": _over_axes(_prod),
    "Max": _over_axes(_max),
    "Min": _over_axes(_min),
    "All": _over_axes(lambda x, axes: np.asarray(x.all(axes))),
    "Any": _over_axes(lambda x, axes: np.asarray(x.any(axes))),
    "ArgMax": _place(np.argmax),
    "ArgMin": _place(np.argmin),
    "L2Loss": lambda _, inputs: np.asarray((inputs[0] * inputs[0]).sum() / 2),
}
