"""Transposed convolutions: each pixel adds a kernel's worth of pixels to the result."""

import itertools

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, channels_first, integers, product, vector
from attn_core.porting.graph.ops.windows import sides


def _transposed(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Compute what the gradient of a convolution computes of its result; kernel (*space, out, in)."""
    size, kernel, image = inputs
    first = channels_first(node)
    space = slice(2, None) if first else slice(1, -1)
    wanted, strides = vector(size)[space], integers(node, "strides")[space]
    if any(rate != 1 for rate in integers(node, "dilations")):
        raise ValueError("a transposed convolution with dilation is not known here")
    around = sides(node, wanted, kernel.shape[:-2], strides, space)
    x = np.moveaxis(image, 1, -1) if first else image
    if x.shape[-1] != kernel.shape[-1]:
        raise ValueError(f"a kernel of shape {list(kernel.shape)} does not fit {x.shape[-1]} channels")
    padded = [n + before + after for n, (before, after) in zip(wanted, around, strict=True)]
    total = np.zeros((len(x), *padded, kernel.shape[-2]), np.result_type(x, kernel))
    for at in itertools.product(*map(range, kernel.shape[:-2])):
        ends = (i + (n - 1) * s + 1 for i, n, s in zip(at, x.shape[1:-1], strides, strict=True))
        places = tuple(slice(i, end, s) for i, end, s in zip(at, ends, strides, strict=True))
        total[(slice(None), *places)] += product(x, kernel[at].T)
    inside = tuple(slice(before, before + n) for n, (before, _) in zip(wanted, around, strict=True))
    y = total[(slice(None), *inside)]
    return np.moveaxis(y, -1, 1) if first else y


OPS: dict[str, Operation] = {
    "Conv2DBackpropInput": _transposed,
    "Conv3DBackpropInputV2": _transposed,
}
