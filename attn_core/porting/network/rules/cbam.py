"""The halves of CBAM, found among steps: products with a gate that is computed of the same image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from attn_core.blocks.cbam import CBAM
from attn_core.blocks.channel_attention import ChannelAttention
from attn_core.blocks.spatial_attention import SpatialAttention
from attn_core.porting.find.naming import own_scope
from attn_core.porting.graph.graph import Node
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Array, Leaf, Step, Value
from attn_core.spec import Block

_SHAPED = ("flatten", "squeeze", "to_image")  # what changes nothing but the axes of one pixel


class _Perceptron(NamedTuple):
    pool: str
    reduce: Step
    expand: Step


def gated(lifter: Lifter, node: Node, x: Value, gate: Value) -> Value | None:
    """Lift x times its gate if that is channel attention, spatial attention, or the end of both; else None."""
    logits = _below(lifter, gate.step, "sigmoid")
    if x.rank != 4 or logits is None:
        return None
    if (channel := _channel(lifter, logits, x)) is not None:
        return _attention(lifter, node, x, *channel)
    if (spatial := _spatial(lifter, logits, x)) is not None:
        return _both(lifter, node, x, *spatial) or _attention(lifter, node, x, *spatial)
    return None


def _attention(lifter: Lifter, node: Node, x: Value, block: Block, arrays: Mapping[str, Leaf]) -> Value:
    names = [name for leaf in arrays.values() for name in leaf.names]
    path = own_scope(names, lifter.weights) or names[0].rpartition("/")[0]
    return lifter.add(node, "attention", (x,), {"block": block}, x.axes, arrays, path)


def _below(lifter: Lifter, name: str, kind: str) -> str | None:
    """Return what a step of this kind reads; reshaping one pixel does not count."""
    step = lifter.steps.get(_bare(lifter, name))
    return step.inputs[0] if step and step.kind == kind else None


def _bare(lifter: Lifter, name: str) -> str:
    while (step := lifter.steps.get(name)) and step.kind in _SHAPED:
        name = step.inputs[0]
    return name


# ---- channels --------------------------------------------------------------------------------------------------------


def _channel(lifter: Lifter, logits: str, x: Value) -> tuple[ChannelAttention, dict[str, Leaf]] | None:
    """Read the sum of what one perceptron makes of the means and of the maxima."""
    total = lifter.steps.get(_bare(lifter, logits))
    if total is None or total.kind != "add" or total.fields["operands"] != (0, 1):
        return None
    found = [_perceptron(lifter, name, x) for name in total.inputs]
    halves = [each for each in found if each is not None]
    if len(halves) != 2 or {half.pool for half in halves} != {"mean", "max"} or not _alike(*halves):
        return None
    _, reduce, expand = halves[0]
    bias = reduce.fields["bias"]
    block = ChannelAttention(reduce.fields["inputs"], hidden=reduce.fields["outputs"], bias=bias)
    layers = {"reduce": reduce, "expand": expand}
    arrays = {f"{role}.{name}": _flat(leaf) for role, layer in layers.items() for name, leaf in layer.arrays.items()}
    return block, {name: arrays[name] for name in block.arrays()}


def _perceptron(lifter: Lifter, name: str, x: Value) -> _Perceptron | None:
    expand = _layer(lifter, name)
    hidden = expand and _below(lifter, expand.inputs[0], "relu")
    reduce = _layer(lifter, hidden) if hidden else None
    pool = lifter.steps.get(_bare(lifter, reduce.inputs[0])) if reduce else None
    if expand is None or reduce is None or pool is None or pool.inputs != (x.step,):
        return None
    if pool.kind not in ("mean", "max") or pool.fields["axes"] != (2, 3):
        return None
    fits = reduce.fields["inputs"] == expand.fields["outputs"] and reduce.fields["bias"] == expand.fields["bias"]
    return _Perceptron(pool.kind, reduce, expand) if fits else None


def _layer(lifter: Lifter, name: str) -> Step | None:
    """Return the dense layer, or 1x1 convolution, that gives a value."""
    step = lifter.steps.get(_bare(lifter, name))
    if step is None or step.kind not in ("dense", "conv"):
        return None
    plain = step.kind == "dense" or (step.fields["kernel"] == (1, 1) and step.fields["groups"] == 1)
    return step if plain and not (step.kind == "conv" and _padded(step)) else None


def _padded(step: Step) -> bool:
    return step.fields["padding"] not in ("valid", "same")


def _alike(first: _Perceptron, second: _Perceptron) -> bool:
    """Whether two perceptrons have the same weights."""
    names = [[leaf.names for layer in each[1:] for _, leaf in sorted(layer.arrays.items())] for each in (first, second)]
    return names[0] == names[1] and all(names[0])


def _flat(leaf: Leaf) -> Leaf:
    """Make a kernel of 1x1 a matrix."""

    def matrix(array: Array) -> Array:
        turned = leaf.turn(array)
        return turned.reshape(turned.shape[0], -1) if turned.ndim > 2 else turned

    return replace(leaf, turn=matrix)


# ---- pixels ----------------------------------------------------------------------------------------------------------


def _spatial(lifter: Lifter, logits: str, x: Value) -> tuple[SpatialAttention, dict[str, Leaf]] | None:
    """Read the convolution of the channels' means and maxima."""
    conv = lifter.steps.get(logits)
    if conv is None or conv.kind != "conv" or not _square(conv):
        return None
    planes = lifter.steps.get(conv.inputs[0])
    kinds = tuple(_planes(lifter, planes, x)) if planes else ()
    if set(kinds) != {"mean", "max"} or len(kinds) != 2:
        return None
    weight, swapped = conv.arrays["weight"], kinds == ("max", "mean")
    arrays = {"conv.weight": replace(weight, turn=_swapping(weight.turn)) if swapped else weight}
    arrays |= {"conv.bias": conv.arrays["bias"]} if conv.fields["bias"] else {}
    return SpatialAttention(conv.fields["kernel"][0], bias=conv.fields["bias"]), arrays


def _square(conv: Step) -> bool:
    """Whether a convolution keeps the size and has an odd square kernel and one result."""
    fields, length = conv.fields, conv.fields["kernel"][0]
    same = fields["padding"] in ("same", ((length // 2,) * 2,) * 2)
    plain = fields["stride"] == fields["dilation"] == (1, 1) and fields["groups"] == fields["outputs"] == 1
    return fields["kernel"] == (length, length) and length % 2 == 1 and same and plain


def _planes(lifter: Lifter, planes: Step, x: Value) -> Iterable[str]:
    if planes.kind == "concat" and planes.fields["axis"] == 1:
        for name in planes.inputs:
            step = lifter.steps.get(name)
            if step and step.inputs == (x.step,) and step.fields.get("axes") == (1,) and step.fields["keep"]:
                yield step.kind


def _swapping(turn: Callable[[Array], Array]) -> Callable[[Array], Array]:
    return lambda array: turn(array)[:, ::-1]


def _both(lifter: Lifter, node: Node, x: Value, spatial: SpatialAttention, arrays: Mapping[str, Leaf]) -> Value | None:
    """Lift spatial attention that follows channel attention and alone reads it: CBAM."""
    step = lifter.steps.get(x.step)
    if step is None or step.kind != "attention" or lifter.readers(step) != 3:
        return None
    channel = step.fields["block"]
    if not isinstance(channel, ChannelAttention):
        return None
    block = CBAM(
        channel.channels, kernel=spatial.kernel, hidden=channel.hidden, bias=channel.bias, spatial_bias=spatial.bias
    )
    both = {f"channel.{name}": leaf for name, leaf in step.arrays.items()}
    both |= {f"spatial.{name}": leaf for name, leaf in arrays.items()}
    return _attention(lifter, node, Value(step.inputs[0], x.axes), block, both)
