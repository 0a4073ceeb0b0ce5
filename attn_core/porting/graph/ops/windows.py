"""The windows of convolutions and pools: where they lie, and the parts of an image that one of their places sees."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import integers, text
from attn_core.spec.windows import margins

Sides = list[tuple[int, int]]


def sides(node: Node, sizes: Sequence[int], lengths: Sequence[int], strides: Sequence[int], axes: slice) -> Sides:
    """Return how many pixels are added before and after each of these axes."""
    padding = text(node, "padding")
    if padding == "EXPLICIT":
        numbers = integers(node, "explicit_paddings")
        return list(zip(numbers[0::2], numbers[1::2], strict=True))[axes]
    if padding not in ("SAME", "VALID"):
        raise ValueError(f"the padding is {padding!r}, not SAME, VALID or EXPLICIT")
    found = (margins(n, k, s, padding.lower()) for n, k, s in zip(sizes, lengths, strides, strict=True))
    return [(int(before), int(after)) for before, after in found]


def padded(x: Array, around: Sides, value: float = 0) -> Array:
    """Return the image with a number around it."""
    return np.pad(x, around, constant_values=value) if any(map(any, around)) else x


def places(sizes: Sequence[int], spans: Sequence[int], strides: Sequence[int]) -> tuple[int, ...]:
    """Return how many windows there are along each axis of a padded image."""
    if min(strides, default=1) < 1 or any(span > size for size, span in zip(sizes, spans, strict=True)):
        raise ValueError(f"windows of {list(spans)} in steps of {list(strides)} do not fit into {list(sizes)}")
    return tuple((size - span) // stride + 1 for size, span, stride in zip(sizes, spans, strides, strict=True))


def views(
    x: Array, lengths: Sequence[int], strides: Sequence[int], dilations: Sequence[int]
) -> Iterator[tuple[tuple[int, ...], Array]]:
    """Yield for each place in the window what all windows see there, along the first axes of x."""
    spans = [(k - 1) * d + 1 for k, d in zip(lengths, dilations, strict=True)]
    counts = places(x.shape[: len(spans)], spans, strides)
    for at in itertools.product(*map(range, lengths)):
        starts = (i * d for i, d in zip(at, dilations, strict=True))
        steps = zip(starts, counts, strides, strict=True)
        yield at, x[tuple(slice(start, start + (count - 1) * stride + 1, stride) for start, count, stride in steps)]
