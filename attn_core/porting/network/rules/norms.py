"""Batch normalisation: fused, and as the products and sums of `tf.nn.batch_normalization`."""

from __future__ import annotations

from typing import Any

import numpy as np

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.graph.reads import stored
from attn_core.porting.network.rules.layers import along_channels, layout, scope
from attn_core.porting.network.steps.lift import Lifter, Rule, Unsupported
from attn_core.porting.network.steps.steps import NHWC, Array, Leaf, Value
from attn_core.porting.network.steps.trace import attribute

MOMENTUM = 0.01  # of `tf.layers`, as PyTorch counts: the share of the new


def fused(lifter: Lifter, node: Node) -> Value:
    """Lift `FusedBatchNorm` with its moving averages."""
    axes = layout(node)
    x = lifter.laid(lifter.value(node.inputs[0]), axes)
    if attribute(node, "is_training", True):
        raise Unsupported("it normalises with the mean and variance of the batch, also outside of training")
    gamma, beta, mean, variance = node.inputs[1:5]
    # The file's float32 of an epsilon is not the number that was written: 0.0010000000474974513.
    eps = shortest(attribute(node, "epsilon", 1e-4))
    return _norm(lifter, node, x, eps, mean, variance, gamma, beta)


def shortest(value: float) -> float:
    """Return the shortest decimal number with the same float32. **Raises** `Unsupported` if it is not finite."""
    if not np.isfinite(np.float32(value)):
        raise Unsupported("it reads a number that is not finite")
    return float(str(np.float32(value)))


def unfused(lifter: Lifter, node: Node, data: Ref, offset: Ref) -> Value | None:
    """Lift x * factor + offset where both were made of an average, a variance, gamma and beta."""
    product = lifter.graph.nodes[data.node]
    if product.op != "Mul" or len(product.inputs) != 2 or lifter.is_data(offset):
        return None
    for image, factor in (product.inputs, product.inputs[::-1]):
        if lifter.is_data(image) and not lifter.is_data(factor):
            found = _parsed(lifter, factor, offset)
            axes = lifter.value(image).axes
            if found is None or not along_channels(lifter.trace.shapes[factor][0], axes):
                return None
            mean, variance, eps, gamma, beta = found
            return _norm(lifter, node, lifter.value(image), eps, mean, variance, gamma, beta)
    return None


def _parsed(lifter: Lifter, factor: Ref, offset: Ref) -> tuple[Ref, Ref, float, Ref | None, Ref | None] | None:
    """Read gamma / sqrt(variance + eps) and beta - mean * that."""
    nodes = lifter.graph.nodes
    scaled, gamma = nodes[factor.node], None
    if scaled.op == "Mul":
        roots = [ref for ref in scaled.inputs if nodes[ref.node].op == "Rsqrt"]
        others = [ref for ref in scaled.inputs if nodes[ref.node].op != "Rsqrt"]
        if len(roots) != 1:
            return None
        gamma, scaled = others[0], nodes[roots[0].node]
    if scaled.op != "Rsqrt" or nodes[scaled.inputs[0].node].op not in ("Add", "AddV2"):
        return None
    variance, eps = _and_number(lifter, nodes[scaled.inputs[0].node])
    difference, beta = nodes[offset.node], None
    if difference.op == "Sub":
        beta, shifted = difference.inputs
    elif difference.op in ("Neg", "Mul"):
        shifted = difference.inputs[0] if difference.op == "Neg" else offset
    else:
        return None
    moved = nodes[shifted.node]
    means = [ref for ref in moved.inputs if ref != factor]
    if moved.op != "Mul" or len(means) != 1 or variance is None:
        return None
    mean = means[0]
    if difference.op == "Mul":  # -mean * factor
        if nodes[mean.node].op != "Neg":
            return None
        mean = nodes[mean.node].inputs[0]
    return mean, variance, eps, gamma, beta


def _and_number(lifter: Lifter, node: Node) -> tuple[Ref | None, float]:
    """Tell the variance from epsilon."""
    for ref, other in (node.inputs, node.inputs[::-1]):
        if lifter.trace.shapes[other][0] == ():
            return ref, shortest(float(lifter.number(other)))
    return None, 0.0


def _norm(
    lifter: Lifter, node: Node, x: Value, eps: float, mean: Ref, variance: Ref, gamma: Ref | None, beta: Ref | None
) -> Value:
    def vector(array: Array) -> Array:
        return array.reshape(-1)

    scale = gamma is not None and not _is_ones(lifter, gamma)
    channels = lifter.trace.shapes[mean][0]
    arrays = {"running_mean": lifter.leaf(mean, vector), "running_var": lifter.leaf(variance, vector)}
    if scale and gamma:
        arrays["weight"] = lifter.leaf(gamma, vector)
    if beta is not None:
        arrays["bias"] = lifter.leaf(beta, vector)
    named = [name for role in ("weight", "bias", "running_mean") if role in arrays for name in arrays[role].names]
    fields: dict[str, Any] = {"channels": int(np.prod(channels)), "eps": eps, "momentum": _momentum(lifter, arrays)}
    form = {(True, True): "both", (True, False): "scale", (False, True): "center"}.get(
        (scale, beta is not None), "none"
    )
    fields |= {"scale": scale, "center": beta is not None, "form": form, "rank": x.rank}
    path = scope(named[0]) if named else node.name
    return lifter.add(node, "norm", (x,), fields, x.axes, arrays, path)


def _is_ones(lifter: Lifter, gamma: Ref) -> bool:
    """Whether gamma is the constant that stands where a layer has none."""
    found = stored(lifter.graph, gamma)
    return found is not None and found.frozen and "gamma" not in found.name and bool((lifter.number(gamma) == 1).all())


def _momentum(lifter: Lifter, arrays: dict[str, Leaf]) -> float:
    names = arrays["running_mean"].names
    if names and names[0] in lifter.momenta:
        return lifter.momenta[names[0]]
    note = f"the graph does not show how fast averages move in training; {MOMENTUM} as in tf.layers"
    if note not in lifter.notes:
        lifter.notes.append(note)
    return MOMENTUM


def _local_response(lifter: Lifter, node: Node) -> Value:
    """Lift `LRN`, which divides by a power of the squares of the channels nearby."""
    x = lifter.laid(lifter.value(node.inputs[0]), NHWC)
    numbers = {name: shortest(attribute(node, name, plain)) for name, plain in _LRN.items()}
    return lifter.add(node, "local_response_norm", (x,), {"radius": attribute(node, "depth_radius", 5), **numbers})


_LRN = {"bias": 1.0, "alpha": 1.0, "beta": 0.5}
RULES: dict[str, Rule] = {
    **dict.fromkeys(("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3"), fused),
    "LRN": _local_response,
}
