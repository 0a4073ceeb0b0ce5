"""Normalisations."""

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, channels_first, flag, integer, number


def _fused(outputs: int) -> Operation:
    """Return batch normalisation with this many outputs: the image, mean and variance, and what gradients need."""
    return lambda node, inputs: _fused_batch_norm(node, *inputs)[:outputs]


def _fused_batch_norm(
    node: Node, x: Array, scale: Array, offset: Array, mean: Array, variance: Array
) -> tuple[Array, ...]:
    axis = 1 if channels_first(node) else x.ndim - 1
    moved = mean, variance
    if flag(node, "is_training", True):
        batch = mean, variance = _moments(x, axis)
        moved = _moved(node, moved, batch, x.size // x.shape[axis])
    y = _normalised(x, axis, mean, variance, scale, offset, number(node, "epsilon", 1e-4))
    return y, *moved, mean, variance, np.zeros(0, x.dtype)


def _moments(x: Array, axis: int) -> tuple[Array, Array]:
    others = tuple(i for i in range(x.ndim) if i != axis)
    mean = x.mean(others, keepdims=True)
    centred = x - mean
    return mean.reshape(-1), np.asarray((centred * centred).mean(others))


def _moved(node: Node, running: tuple[Array, Array], batch: tuple[Array, Array], count: int) -> tuple[Array, Array]:
    """Return the running statistics after this batch; they know the unbiased variance."""
    factor = number(node, "exponential_avg_factor", 1.0)
    mean, variance = batch[0], batch[1] * (count / max(count - 1, 1))
    if factor == 1:
        return mean, variance
    return (1 - factor) * running[0] + factor * mean, (1 - factor) * running[1] + factor * variance


def _normalised(
    x: Array, axis: int, mean: Array, variance: Array, scale: Array, offset: Array, epsilon: float
) -> Array:
    for each in (mean, variance, scale, offset):
        if each.shape != x.shape[axis : axis + 1]:
            raise ValueError(f"statistics of shape {list(each.shape)} do not fit axis {axis}")
    shape = (-1, *(1,) * (x.ndim - 1 - axis))
    factor = scale / np.sqrt(variance + epsilon)
    return np.asarray((x - mean.reshape(shape)) * factor.reshape(shape) + offset.reshape(shape))


def _local_response(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Divide by a power of the squares of the channels nearby."""
    (x,) = inputs
    radius, squares = integer(node, "depth_radius", 5), x * x
    total = squares.copy()
    for distance in range(1, min(radius, x.shape[-1] - 1) + 1):
        total[..., distance:] += squares[..., :-distance]
        total[..., :-distance] += squares[..., distance:]
    base = number(node, "bias", 1.0) + number(node, "alpha", 1.0) * total
    return np.asarray(x * base ** -number(node, "beta", 0.5))


OPS: dict[str, Operation] = {
    "FusedBatchNorm": _fused(5),
    "FusedBatchNormV2": _fused(5),
    "FusedBatchNormV3": _fused(6),
    "LRN": _local_response,
}
