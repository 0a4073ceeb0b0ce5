"""The gate of spatial attention: a convolution of two planes, the means and the maxima over the channels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import NamedTuple

from attn_core.blocks.spatial_attention import SpatialAttention
from attn_core.porting.network.steps.axes import CHANNELS
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Array, Leaf, Step, Value
from attn_core.porting.network.steps.weights import then


class SpatialGate(NamedTuple):
    """A block and its weights by their canonical names."""

    block: SpatialAttention
    arrays: dict[str, Leaf]


def spatial_gate(lifter: Lifter, logits: str, x: Value) -> SpatialGate | None:
    """Read what comes before the sigmoid; None if it is not that of spatial attention."""
    conv = lifter.steps.get(logits)
    if conv is None or conv.kind != "conv" or not _is_square(conv):
        return None
    planes = lifter.steps.get(conv.inputs[0])
    kinds = tuple(_planes(lifter, planes, x)) if planes else ()
    if len(kinds) != 2 or set(kinds) != {"mean", "max"}:
        return None
    weight, bias = conv.arrays["weight"], conv.fields["bias"]
    # The block's planes are (mean, max); kernels of programs that put the maxima first are turned round.
    if kinds == ("max", "mean"):
        weight = replace(weight, turn=then(weight.turn, _swapped))
    arrays = {"conv.weight": weight}
    if bias:
        arrays["conv.bias"] = conv.arrays["bias"]
    length, *_ = conv.fields["kernel"]
    return SpatialGate(SpatialAttention(length, bias=bias), arrays)


def _is_square(conv: Step) -> bool:
    """Whether a convolution keeps the size and has an odd square kernel and one result."""
    fields = conv.fields
    length, *others = fields["kernel"]
    half = length // 2
    keeps_size = fields["padding"] in ("same", ((half, half),) * len(fields["kernel"]))
    is_plain = set(fields["stride"]) == set(fields["dilation"]) == {1}
    is_whole = fields["groups"] == fields["outputs"] == 1
    return set(others) <= {length} and length % 2 == 1 and keeps_size and is_plain and is_whole


def _planes(lifter: Lifter, planes: Step, x: Value) -> Iterable[str]:
    """Yield of which kind each plane is that reduces the channels of the image."""
    if planes.kind != "concat" or planes.fields["axis"] != CHANNELS:
        return
    for name in planes.inputs:
        step = lifter.steps.get(name)
        if step and step.inputs == (x.step,) and _reduces_channels(step):
            yield step.kind


def _reduces_channels(step: Step) -> bool:
    # Only planes with an axis for their one channel can be put together along it.
    return step.fields.get("axes") == (CHANNELS,) and step.fields["keep"]


def _swapped(kernel: Array) -> Array:
    return kernel[:, ::-1]
