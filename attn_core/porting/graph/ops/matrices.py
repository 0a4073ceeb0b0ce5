"""Products of matrices."""

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, flag, product, text


def _matmul(node: Node, inputs: tuple[Array, ...]) -> Array:
    a, b = inputs
    if (a.ndim, b.ndim) != (2, 2):
        raise ValueError("the product is one of matrices")
    return product(a.T if flag(node, "transpose_a") else a, b.T if flag(node, "transpose_b") else b)


def _batch_matmul(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Multiply; the adjoint of a matrix of real numbers is its transpose, whatever derivatives they carry."""
    a, b = inputs
    return product(
        a.swapaxes(-1, -2) if flag(node, "adj_x") else a,
        b.swapaxes(-1, -2) if flag(node, "adj_y") else b,
    )


def _einsum(node: Node, inputs: tuple[Array, ...]) -> Array:
    return np.asarray(np.einsum(text(node, "equation"), *inputs, optimize=True))


OPS: dict[str, Operation] = {
    "MatMul": _matmul,
    "BatchMatMul": _batch_matmul,
    "BatchMatMulV2": _batch_matmul,
    "Einsum": _einsum,
}
