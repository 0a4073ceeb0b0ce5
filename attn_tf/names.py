"""What Keras calls the arrays of a part, and how it lays them out; the only place that says so."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.spec import Part, parts

# The canonical arrays of a part, and the attributes of its layer that hold them.
LEAVES: dict[type[Part], dict[str, str]] = {
    parts.Dense: {"weight": "kernel", "bias": "bias"},
    parts.Conv: {"weight": "kernel", "bias": "bias"},
    parts.BatchNorm: {
        "weight": "gamma",
        "bias": "beta",
        "running_mean": "moving_mean",
        "running_var": "moving_variance",
    },
    parts.GroupNorm: {"weight": "gamma", "bias": "beta"},
    parts.LayerNorm: {"weight": "gamma", "bias": "beta"},
    parts.Dropout: {},
    parts.Affine: {"weight": "weight", "bias": "bias"},
    parts.Running: {"value": "value"},
}


def to_canonical(variable: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Turn a kernel (*k, in, out) into a weight (out, in, *k); what belongs to another variable stays."""
    return np.ascontiguousarray(np.moveaxis(array, (-1, -2), (0, 1))) if variable.name == "kernel" else array


def from_canonical(variable: Any, array: NDArray[Any]) -> NDArray[Any]:
    """Undo `to_canonical`."""
    return np.ascontiguousarray(np.moveaxis(array, (0, 1), (-1, -2))) if variable.name == "kernel" else array
