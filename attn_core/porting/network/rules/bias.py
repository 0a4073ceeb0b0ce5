"""Biases: a vector of weights that is added to what a layer gives."""

from __future__ import annotations

import math

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.signals import row_of
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import CHANNELS, Axes
from attn_core.porting.network.steps.lift import Lifter, Unsupported
from attn_core.porting.network.steps.observed import Sizes
from attn_core.porting.network.steps.steps import Step, Value, flat

LAYERS = ("conv", "depthwise", "transposed", "dense")


def add_bias(lifter: Lifter, node: Node, x: Value, ref: Ref) -> Value | None:
    """Put a vector of weights into the layer before, if it is one."""
    row = row_of(lifter, x)
    layer = _layer_of(lifter, row.signal if row else x)
    shape = lifter.constant_shape(ref)
    if layer is None or layer.fields["bias"]:
        return None
    if math.prod(shape) != layer.fields["outputs"]:
        return None
    # `BiasAdd` states the layout and means channels; a sum goes along the last axes, whichever these are.
    if node.op == "BiasAdd":
        place = 1 if attribute(node, "data_format", "NHWC").startswith("NC") else x.rank - 1
        if lifter.is_image(x.rank) and x.axes[place] != CHANNELS:
            raise Unsupported("its layout is another than that of the image")
    elif not along_channels(shape, x.axes):
        return None
    fields = {**layer.fields, "bias": True}
    arrays = {**layer.arrays, "bias": lifter.leaf(ref, flat)}
    if row is not None:
        return row.again(lifter, lifter.changed(node, layer, row.signal.axes, fields=fields, arrays=arrays))
    return lifter.changed(node, layer, x.axes, fields=fields, arrays=arrays)


def _layer_of(lifter: Lifter, x: Value) -> Step | None:
    for kind in LAYERS:
        if (layer := lifter.step_of(x, kind)) is not None:
            return layer
    return None


def along_channels(shape: Sizes, axes: Axes) -> bool:
    """Whether an array, put against the last axes, lies along the channels."""
    from_the_end = len(axes) - axes.index(CHANNELS)
    if from_the_end > len(shape):
        return False
    return shape[-from_the_end] == math.prod(shape)
