"""Normalisation: batch norms, fused or as the products and sums of `tf.nn.batch_normalization`; local responses."""

from __future__ import annotations

from typing import Any

import numpy as np

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.reads import stored
from attn_core.porting.network.rules.bias import along_channels
from attn_core.porting.network.rules.layers import layout, scope
from attn_core.porting.network.rules.norm_of_products import Norm, parsed
from attn_core.porting.network.rules.numbers import shortest
from attn_core.porting.network.steps.attributes import attribute
from attn_core.porting.network.steps.axes import NHWC
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import Leaf, Value, flat

MOMENTUM = 0.01  # of `tf.layers`, as PyTorch counts: the share of the new
_FORMS = {(True, True): "both", (True, False): "scale", (False, True): "center", (False, False): "none"}


def fused(lifter: Lifter, node: Node) -> Value:
    """Lift `FusedBatchNorm` with its moving averages."""
    x = lifter.laid(lifter.input(node), layout(node))
    # Where the file leaves it out, it has the operation's default: training.
    if attribute(node, "is_training", True):
        raise Unsupported("it normalises with the mean and variance of the batch, also outside of training")
    _, gamma, beta, mean, variance, *_ = node.inputs
    eps = shortest(attribute(node, "epsilon", 1e-4))
    return _add(lifter, node, x, Norm(mean, variance, eps, gamma, beta))


def unfused(lifter: Lifter, node: Node, data: Ref, offset: Ref) -> Value | None:
    """Lift x * factor + offset where both were made of an average, a variance, gamma and beta."""
    product = lifter.graph.nodes[data.node]
    if product.op != "Mul" or len(product.inputs) != 2 or lifter.is_data(offset):
        return None
    # Programs write a product either way round.
    for image, factor in (product.inputs, product.inputs[::-1]):
        if lifter.is_data(image) and not lifter.is_data(factor):
            norm = parsed(lifter, factor, offset)
            x = lifter.value(image)
            if norm is None or not along_channels(lifter.constant_shape(factor), x.axes):
                return None
            return _add(lifter, node, x, norm)
    return None


def _add(lifter: Lifter, node: Node, x: Value, norm: Norm) -> Value:
    scale = norm.gamma is not None and not _is_ones(lifter, norm.gamma)
    center = norm.beta is not None
    shape = lifter.constant_shape(norm.mean)
    arrays = _arrays(lifter, norm, scale)
    fields: dict[str, Any] = {
        "channels": int(np.prod(shape)),
        "eps": norm.eps,
        "momentum": _momentum(lifter, arrays["running_mean"]),
        "scale": scale,
        "center": center,
        "form": _FORMS[scale, center],
        "rank": x.rank,
    }
    return lifter.add(node, "norm", (x,), fields, x.axes, arrays, _path(arrays, node))


def _arrays(lifter: Lifter, norm: Norm, scale: bool) -> dict[str, Leaf]:
    arrays = {
        "running_mean": lifter.leaf(norm.mean, flat),
        "running_var": lifter.leaf(norm.variance, flat),
    }
    if scale and norm.gamma is not None:
        arrays["weight"] = lifter.leaf(norm.gamma, flat)
    if norm.beta is not None:
        arrays["bias"] = lifter.leaf(norm.beta, flat)
    return arrays


def _path(arrays: dict[str, Leaf], node: Node) -> str:
    """Return the scope of a norm's variables, of which some may be constants that have no name."""
    leaves = [arrays[role] for role in ("weight", "bias", "running_mean") if role in arrays]
    names = [name for leaf in leaves for name in leaf.names]
    return scope(names[0]) if names else node.name


def _is_ones(lifter: Lifter, gamma: Ref) -> bool:
    """Whether gamma is the constant that stands where a layer has none: the fused operation always reads one.

    A frozen graph holds gammas as constants, too, and these may still be one everywhere; they go by their name.
    """
    found = stored(lifter.graph, gamma)
    if found is None or not found.frozen or "gamma" in found.name:
        return False
    ones = lifter.number(gamma) == 1
    return bool(ones.all())


def _momentum(lifter: Lifter, average: Leaf) -> float:
    if average.names and average.names[0] in lifter.momenta:
        return lifter.momenta[average.names[0]]
    note = f"the graph does not show how fast averages move in training; {MOMENTUM} as in tf.layers"
    if note not in lifter.notes:
        lifter.notes.append(note)
    return MOMENTUM


def _local_response(lifter: Lifter, node: Node) -> Value:
    """Lift `LRN`, which divides by a power of the squares of the channels nearby; it exists for NHWC alone."""
    x = lifter.laid(lifter.input(node), NHWC)
    fields = {
        "radius": attribute(node, "depth_radius", 5),
        "bias": shortest(attribute(node, "bias", 1.0)),
        "alpha": shortest(attribute(node, "alpha", 1.0)),
        "beta": shortest(attribute(node, "beta", 0.5)),
    }
    return lifter.add(node, "local_response_norm", (x,), fields)


RULES: dict[str, Rule] = {
    "FusedBatchNorm": fused,
    "FusedBatchNormV2": fused,
    "FusedBatchNormV3": fused,
    "LRN": _local_response,
}
