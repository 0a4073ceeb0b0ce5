"""What it takes to interpolate, for sizes that TensorFlow may know only when the graph runs."""

from __future__ import annotations

from typing import Any

from keras import ops

from attn_core.spec import interpolation


def mean_matrix(size: Any, bins: int, dtype: str) -> Any:
    """Return `interpolation.mean_matrix`."""
    if isinstance(size, int):
        return ops.convert_to_tensor(interpolation.mean_matrix(size, bins), dtype)
    first = ops.arange(bins) * size // bins
    # A ceiling without negative numbers: exporters that cut off instead of rounding down would get those wrong.
    last = (ops.arange(1, bins + 1) * size + bins - 1) // bins
    pixel = ops.arange(size)
    inside = ops.cast((pixel >= first[:, None]) & (pixel < last[:, None]), dtype)
    return inside / ops.sum(inside, 1, keepdims=True)


def resize_matrix(size: Any, target: Any, align_corners: bool, dtype: str) -> Any:
    """Return `interpolation.resize_matrix`; distances are counted in whole numbers, so that large sizes stay exact."""
    if isinstance(size, int) and isinstance(target, int):
        return ops.convert_to_tensor(interpolation.resize_matrix(size, target, align_corners), dtype)
    if align_corners:
        unit = ops.maximum(target - 1, 1)
        places = ops.arange(target) * (size - 1)
    else:
        unit = 2 * target
        places = ops.minimum(ops.maximum((2 * ops.arange(target) + 1) * size - target, 0), unit * (size - 1))
    distance = ops.abs(places[:, None] - ops.arange(size) * unit)
    return ops.cast(ops.maximum(unit - distance, 0), dtype) / ops.cast(unit, dtype)


def coordinates(size: Any, align_corners: bool, dtype: str) -> Any:
    """Return the coordinates of the pixels along an axis: where the identity takes them."""
    if isinstance(size, int):
        return ops.convert_to_tensor(interpolation.coordinates(size, align_corners), dtype)
    unit = ops.maximum(size - 1, 1) if align_corners else size
    return ops.cast(2 * ops.arange(size) - (size - 1), dtype) / ops.cast(unit, dtype)


def place(points: Any, pixels: Any, padding: str, align_corners: bool) -> Any:
    """Turn coordinates over [-1, 1] into places among pixels, 0 being the centre of the first."""
    n = ops.cast(pixels, points.dtype)
    place = (points + 1) / 2 * (n - 1) if align_corners else ((points + 1) * n - 1) / 2
    return held(place, pixels) if padding == "border" else place


def held(place: Any, pixels: Any) -> Any:
    """Hold places to the pixels; unlike a clip's on JAX, the derivative at the border is whole."""
    last = ops.cast(pixels - 1, place.dtype) * ops.ones_like(place)
    return ops.where(place < 0, ops.zeros_like(place), ops.where(place > last, last, place))
