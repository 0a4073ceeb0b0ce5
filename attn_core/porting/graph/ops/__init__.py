"""The operations of TensorFlow 1 that convolutional classifiers are made of, in NumPy.

Each file is a theme with a table; `OPS` is all of them. `operation` says what an operation is.
"""

from collections.abc import Mapping
from types import MappingProxyType

from attn_core.porting.graph.ops import (
    arithmetic,
    convolution,
    flow,
    matrices,
    norms,
    places,
    pointwise,
    pooling,
    quantised,
    reductions,
    shapes,
    slices,
    transposed,
)
from attn_core.porting.graph.ops.operation import DEAD, Operation

_THEMES = (
    arithmetic,
    convolution,
    flow,
    matrices,
    norms,
    places,
    pointwise,
    pooling,
    quantised,
    reductions,
    shapes,
    slices,
    transposed,
)

OPS: Mapping[str, Operation] = MappingProxyType({op: run for theme in _THEMES for op, run in theme.OPS.items()})

__all__ = ["DEAD", "OPS", "Operation"]
