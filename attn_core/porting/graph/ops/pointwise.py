"""Functions of one array, number by number, and the softmax."""

import math
from collections.abc import Callable

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation, absolute, dtype, extended, number

_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def _relu(x: Array) -> Array:
    return np.where(x.real <= 0, 0, x)  # so that NaN stays NaN


def _relu6(x: Array) -> Array:
    return np.where(x.real <= 0, 0, np.where(x.real >= 6, 6, x))


def _leaky_relu(node: Node, inputs: tuple[Array, ...]) -> Array:
    (x,) = inputs
    return np.where(x.real > 0, x, number(node, "alpha", 0.2) * x)


def _elu(x: Array) -> Array:
    return np.where(x.real > 0, x, np.expm1(x))


def _selu(x: Array) -> Array:
    return np.asarray(_SELU_SCALE * np.where(x.real > 0, x, _SELU_ALPHA * np.expm1(x)))


def _sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)) without an overflow and with all digits of small values."""
    power = np.exp(-absolute(x))
    return np.where(x.real >= 0, 1 / (1 + power), power / (1 + power))


def _softplus(x: Array) -> Array:
    power = np.exp(-absolute(x))
    return np.asarray(_relu(x) + extended(power, np.log1p(power.real), 1 / (1 + power.real)))


def _softsign(x: Array) -> Array:
    return np.asarray(x / (1 + absolute(x)))


def _softmax(x: Array) -> Array:
    powers = np.exp(x - x.real.max(-1, keepdims=True))
    return np.asarray(powers / powers.sum(-1, keepdims=True))


def _log_softmax(x: Array) -> Array:
    shifted = x - x.real.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def _erf(x: Array) -> Array:
    values = np.vectorize(math.erf, otypes=[x.real.dtype])(x.real)
    return extended(x, values, 2 / math.sqrt(math.pi) * np.exp(-(x.real**2)))


def _cast(node: Node, inputs: tuple[Array, ...]) -> Array:
    """Cast; to floats, numbers wider than the graph's own stay so, else a precise run would end here.

    Such numbers are also the pixels of an image that the graph takes as integers.
    """
    (x,) = inputs
    source, target = dtype(node, "SrcT", x.dtype.str), dtype(node, "DstT", x.dtype.str)
    if target.kind == "f" and x.dtype.kind in "fc" and source != x.dtype:
        return x.astype(np.result_type(x, target))
    return x.real.astype(target)


def _each(function: Callable[[Array], Array]) -> Operation:
    return lambda _, inputs: np.asarray(function(*inputs))


_FUNCTIONS: dict[str, Callable[[Array], Array]] = {
    "Relu": _relu,
    "Relu6": _relu6,
    "Elu": _elu,
    "Selu": _selu,
    "Sigmoid": _sigmoid,
    "Tanh": np.tanh,
    "Softplus": _softplus,
    "Softsign": _softsign,
    "Softmax": _softmax,
    "LogSoftmax": _log_softmax,
    "Exp": np.exp,
    "Expm1": np.expm1,
    "Log": np.log,
    "Log1p": lambda x: extended(x, np.log1p(x.real), 1 / (1 + x.real)),
    "Sqrt": np.sqrt,
    "Rsqrt": lambda x: 1 / np.sqrt(x),
    "Square": lambda x: x * x,
    "Neg": np.negative,
    "Abs": absolute,
    "Reciprocal": lambda x: 1 / x,
    "Inv": lambda x: 1 / x,
    "Sin": np.sin,
    "Cos": np.cos,
    "Erf": _erf,
    "Floor": lambda x: np.floor(x.real),
    "Ceil": lambda x: np.ceil(x.real),
    "Round": lambda x: np.rint(x.real),
    "Rint": lambda x: np.rint(x.real),
    "Sign": lambda x: np.sign(x.real),
}

OPS: dict[str, Operation] = {
    **{op: _each(function) for op, function in _FUNCTIONS.items()},
    "LeakyRelu": _leaky_relu,
    "Cast": _cast,
}
