"""Dilated convolutions, as TensorFlow 1 writes them.

`SpaceToBatchND` makes of each image several smaller ones of pixels that lie `block` apart; a plain convolution runs
over these, and `BatchToSpaceND` puts the results together.
"""

from __future__ import annotations

from typing import Any

from attn_core.porting.graph.graph import Node
from attn_core.porting.network.steps.axes import channels_last
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Array, Step, Value


def space_to_batch(lifter: Lifter, node: Node) -> Value:
    """Lift the first half of a dilated convolution."""
    x = lifter.input(node)
    block = lifter.fixed(node.inputs[1])
    borders = lifter.observed.numbers.get(node.inputs[2])
    # It takes apart the axes behind the first: those in space, where channels come last.
    if not lifter.is_image(x.rank) or block is None or len(block) != len(x.axes.space) or borders is None:
        raise Unsupported("it takes apart something else than the rows and columns of an image")
    x = lifter.laid(x, channels_last(x.rank))
    return lifter.add(node, "space_to_batch", (x,), {"block": block, "borders": borders})


def batch_to_space(lifter: Lifter, node: Node) -> Value:
    """Lift the second half: the two and the convolution between them become one."""
    x = lifter.input(node)
    conv = lifter.step_of(x, "conv") or lifter.step_of(x, "depthwise")
    apart = _taken_apart(lifter, conv)
    _, block_ref, crops_ref = node.inputs
    block = lifter.observed.numbers.get(block_ref)
    crops = lifter.observed.numbers.get(crops_ref)
    if conv is None or apart is None or block is None or crops is None:
        raise Unsupported("it puts together what no dilated convolution took apart")
    dilation = apart.fields["block"]
    if not _is_plain(conv) or tuple(block[0]) != dilation:
        raise Unsupported("it ends a dilated convolution of an unknown form")
    # The image is also filled up to a multiple of the block, which depends on its size; the crops take that away.
    runs = zip(apart.fields["borders"], crops, strict=True)
    left = {_left(border, crop) for border, crop in runs}
    if len(left) != 1:
        raise Unsupported("its padding follows the size of the image")
    padding = _padding(conv, dilation, left.pop())
    fields = {**conv.fields, "dilation": dilation, "padding": padding}
    return lifter.changed(node, conv, x.axes, fields=fields, inputs=apart.inputs)


def _taken_apart(lifter: Lifter, conv: Step | None) -> Step | None:
    """Return the step that took an image apart for a convolution."""
    if conv is None:
        return None
    apart = lifter.steps.get(conv.inputs[0])
    return apart if apart and apart.kind == "space_to_batch" else None


def _is_plain(conv: Step) -> bool:
    """Whether a convolution has neither a border nor a stride, which would mean something else on smaller images."""
    padding, stride = conv.fields["padding"], conv.fields["stride"]
    return padding == "valid" and set(stride) == {1}


def _left(border: Array, crop: Array) -> Sizes:
    """Return what is left of a border when it was cropped, before and after, one axis after the other."""
    pairs = zip(border.flat, crop.flat, strict=True)
    return tuple(int(added) - int(taken) for added, taken in pairs)


def _padding(conv: Step, dilation: Sizes, border: Sizes) -> Any:
    """Return a border by the name of a padding, if it has one."""
    padding = tuple(zip(border[::2], border[1::2], strict=True))
    lengths = conv.fields["kernel"]
    reach = [rate * (length - 1) for rate, length in zip(dilation, lengths, strict=True)]
    # TensorFlow's SAME at a stride of 1: of an odd number, the larger half comes after the image.
    same = tuple((n // 2, n - n // 2) for n in reach)
    if padding == same:
        return "same"
    return padding if any(border) else "valid"


RULES: dict[str, Rule] = {"SpaceToBatchND": space_to_batch, "BatchToSpaceND": batch_to_space}
