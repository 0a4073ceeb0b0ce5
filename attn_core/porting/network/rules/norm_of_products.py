"""Reading what a batch norm is made of from the factor and the offset that an image gets.

`tf.nn.batch_normalization` computes x * factor + offset with factor = rsqrt(variance + eps) * gamma and
offset = beta - mean * factor.
"""

from __future__ import annotations

from typing import NamedTuple

from attn_core.porting.graph.graph import Node, Ref
from attn_core.porting.network.rules.numbers import shortest
from attn_core.porting.network.steps.lift import Lifter


class Norm(NamedTuple):
    """What a batch norm is made of."""

    mean: Ref
    variance: Ref
    eps: float
    gamma: Ref | None = None
    beta: Ref | None = None


class _Factor(NamedTuple):
    variance: Ref
    eps: float
    gamma: Ref | None


class _Offset(NamedTuple):
    mean: Ref
    beta: Ref | None


def parsed(lifter: Lifter, factor: Ref, offset: Ref) -> Norm | None:
    """Read factor and offset; None if they are not those of a batch norm."""
    scaled = _factor(lifter, factor)
    shifted = _offset(lifter, factor, offset) if scaled else None
    if scaled is None or shifted is None:
        return None
    return Norm(shifted.mean, scaled.variance, scaled.eps, scaled.gamma, shifted.beta)


def _factor(lifter: Lifter, factor: Ref) -> _Factor | None:
    """Read gamma / sqrt(variance + eps)."""
    nodes = lifter.graph.nodes
    root, gamma = nodes[factor.node], None
    # Without gamma the root alone is the factor.
    if root.op == "Mul":
        roots = [ref for ref in root.inputs if nodes[ref.node].op == "Rsqrt"]
        others = [ref for ref in root.inputs if nodes[ref.node].op != "Rsqrt"]
        if len(roots) != 1:
            return None
        root, gamma = nodes[roots[0].node], others[0]
    if root.op != "Rsqrt":
        return None
    total = nodes[root.inputs[0].node]
    if total.op not in ("Add", "AddV2"):
        return None
    return _and_number(lifter, total, gamma)


def _and_number(lifter: Lifter, total: Node, gamma: Ref | None) -> _Factor | None:
    """Tell the variance from epsilon, which is a single number."""
    for variance, eps in (total.inputs, total.inputs[::-1]):
        if lifter.constant_shape(eps) == ():
            return _Factor(variance, shortest(float(lifter.number(eps))), gamma)
    return None


def _offset(lifter: Lifter, factor: Ref, offset: Ref) -> _Offset | None:
    """Read the mean, and beta where there is one."""
    nodes = lifter.graph.nodes
    end = nodes[offset.node]
    if end.op == "Sub":  # beta - mean * factor
        beta, product = end.inputs
        mean = _beside(nodes[product.node], factor)
        return _Offset(mean, beta) if mean else None
    if end.op == "Neg":  # -(mean * factor)
        mean = _beside(nodes[end.inputs[0].node], factor)
        return _Offset(mean, None) if mean else None
    # (-mean) * factor: the minus binds to the mean in `tf.nn.batch_normalization`.
    negative = _beside(end, factor)
    if negative is None or nodes[negative.node].op != "Neg":
        return None
    return _Offset(nodes[negative.node].inputs[0], None)


def _beside(product: Node, factor: Ref) -> Ref | None:
    """Return what a product multiplies with the factor; None of what is no product."""
    if product.op != "Mul":
        return None
    others = [ref for ref in product.inputs if ref != factor]
    return others[0] if len(others) == 1 else None
