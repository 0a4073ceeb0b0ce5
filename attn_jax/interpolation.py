"""What it takes to interpolate, for sizes that may be symbols of `jax.export`."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from attn_core.spec import interpolation


def _known(*sizes: Any) -> bool:
    return not any(jax.export.is_symbolic_dim(size) for size in sizes)


def mean_matrix(size: Any, bins: int) -> Any:
    """Return `interpolation.mean_matrix`."""
    if _known(size):
        return interpolation.mean_matrix(size, bins)
    index, pixels = jnp.arange(bins), jnp.arange(size)
    first = index * size // bins
    last = ((index + 1) * size + bins - 1) // bins  # a ceiling
    inside = (pixels >= first[:, None]) & (pixels < last[:, None])
    return inside / inside.sum(1, keepdims=True)


def resize_matrix(size: Any, target: Any, align_corners: bool) -> Any:
    """Return `interpolation.resize_matrix`; distances are counted in whole numbers, so that large sizes stay exact."""
    if _known(size, target):
        return interpolation.resize_matrix(size, target, align_corners)
    if align_corners:
        unit = jnp.maximum(target - 1, 1)
        places = jnp.arange(target) * (size - 1)
    else:
        unit = 2 * target
        places = jnp.clip((2 * jnp.arange(target) + 1) * size - target, 0, unit * (size - 1))
    distance = jnp.abs(places[:, None] - jnp.arange(size) * unit)
    return jnp.maximum(unit - distance, 0) / unit


def coordinates(size: Any, align_corners: bool) -> Any:
    """Return `interpolation.coordinates`."""
    if _known(size):
        return interpolation.coordinates(size, align_corners)
    unit = jnp.maximum(size - 1, 1) if align_corners else size
    return (2 * jnp.arange(size) - (size - 1)) / unit
