"""The gate of channel attention: one perceptron of the means and of the maxima, and the sum of both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from attn_core.blocks.channel_attention import ChannelAttention
from attn_core.porting.network.rules.gates import below, shaped
from attn_core.porting.network.steps.lift import Lifter
from attn_core.porting.network.steps.steps import Array, Leaf, Step, Value
from attn_core.porting.network.steps.weights import then


class ChannelGate(NamedTuple):
    """A block and its weights by their canonical names."""

    block: ChannelAttention
    arrays: dict[str, Leaf]


class _Perceptron(NamedTuple):
    """What makes a gate of pooled values, and the kind of the pool."""

    pool: str
    reduce: Step
    expand: Step

    @property
    def weights(self) -> list[tuple[str, ...]]:
        """The names of the variables, layer by layer."""
        return [*_variables(self.reduce), *_variables(self.expand)]


def _variables(layer: Step) -> Iterator[tuple[str, ...]]:
    for _, leaf in sorted(layer.arrays.items()):
        yield leaf.names


def channel_gate(lifter: Lifter, logits: str, x: Value) -> ChannelGate | None:
    """Read what comes before the sigmoid; None if it is not that of channel attention."""
    total = shaped(lifter, logits)
    if total is None or total.kind != "add" or total.fields["operands"] != (0, 1):
        return None
    first, second = (_perceptron(lifter, name, x) for name in total.inputs)
    if first is None or second is None or not _is_shared(first, second):
        return None
    # A sum may be written either way round.
    if {first.pool, second.pool} != {"mean", "max"}:
        return None
    reduce = first.reduce.fields
    block = ChannelAttention(reduce["inputs"], hidden=reduce["outputs"], bias=reduce["bias"])
    arrays = _matrices("reduce", first.reduce) | _matrices("expand", first.expand)
    return ChannelGate(block, {name: arrays[name] for name in block.arrays()})


def _is_shared(first: _Perceptron, second: _Perceptron) -> bool:
    """Whether two perceptrons have the same variables, as CBAM's have; weights without a name cannot be compared."""
    return first.weights == second.weights and all(first.weights)


def _perceptron(lifter: Lifter, name: str, x: Value) -> _Perceptron | None:
    """Read back from one of the two vectors to the image: dense, relu, dense, pool."""
    expand = _layer(lifter, name)
    hidden = below(lifter, expand.inputs[0], "relu") if expand else None
    reduce = _layer(lifter, hidden) if hidden else None
    pool = shaped(lifter, reduce.inputs[0]) if reduce else None
    if expand is None or reduce is None or pool is None:
        return None
    if not _is_pool(pool, x) or not _fit(reduce, expand):
        return None
    return _Perceptron(pool.kind, reduce, expand)


def _is_pool(pool: Step, x: Value) -> bool:
    """Whether a step is a mean or maximum over the pixels of the image."""
    return pool.inputs == (x.step,) and pool.kind in ("mean", "max") and pool.fields["axes"] == x.axes.space


def _fit(reduce: Step, expand: Step) -> bool:
    """Whether a vector leaves two layers with the length that it came with, and both have a bias or none."""
    same_length = reduce.fields["inputs"] == expand.fields["outputs"]
    same_bias = reduce.fields["bias"] == expand.fields["bias"]
    return bool(same_length and same_bias)


def _layer(lifter: Lifter, name: str) -> Step | None:
    """Return the dense layer, or 1x1 convolution, that gives a value."""
    step = shaped(lifter, name)
    if step is None or step.kind not in ("dense", "conv"):
        return None
    return step if step.kind == "dense" or _is_dense(step) else None


def _is_dense(conv: Step) -> bool:
    """Whether a convolution is a dense layer on each pixel."""
    fields = conv.fields
    # SAME puts no border around a kernel of 1x1. The stride does not matter: what was pooled is one pixel.
    has_border = fields["padding"] not in ("valid", "same")
    return set(fields["kernel"]) == {1} and fields["groups"] == 1 and not has_border


def _matrices(role: str, layer: Step) -> dict[str, Leaf]:
    """Return the weights of a layer of the block, kernels of 1x1 as matrices."""
    found = {}
    for name, leaf in layer.arrays.items():
        turn = then(leaf.turn, _matrix)
        found[f"{role}.{name}"] = replace(leaf, turn=turn)
    return found


def _matrix(array: Array) -> Array:
    return array.reshape(array.shape[0], -1) if array.ndim > 2 else array
