"""Arithmetic of several arrays, comparisons, logic and selection."""

from collections.abc import Callable
from functools import reduce

import numpy as np

from attn_core.porting.graph.lazy import Array
from attn_core.porting.graph.ops.operation import Operation


def _add_n(*arrays: Array) -> Array:
    return reduce(np.add, arrays)


def _divide(a: Array, b: Array) -> Array:
    """Divide; integers as C does, towards zero."""
    if a.dtype.kind not in "iu":
        return np.asarray(a / b)
    quotient = np.abs(a) // np.abs(b)
    return np.where((a < 0) != (b < 0), -quotient, quotient).astype(a.dtype)


def _divide_no_nan(a: Array, b: Array) -> Array:
    return np.where(b.real == 0, 0, a / np.where(b.real == 0, 1, b))


def _floor_divide(a: Array, b: Array) -> Array:
    return np.asarray(np.floor_divide(a.real, b.real))


def _floor_mod(a: Array, b: Array) -> Array:
    if not np.iscomplexobj(a) and not np.iscomplexobj(b):
        return np.asarray(np.mod(a, b))
    return np.asarray(np.mod(a.real, b.real) + 1j * (a.imag - _floor_divide(a, b) * b.imag))


def _maximum(a: Array, b: Array) -> Array:
    if not np.iscomplexobj(a) and not np.iscomplexobj(b):
        return np.asarray(np.maximum(a, b))
    return np.where(a.real >= b.real, a, b)


def _minimum(a: Array, b: Array) -> Array:
    if not np.iscomplexobj(a) and not np.iscomplexobj(b):
        return np.asarray(np.minimum(a, b))
    return np.where(a.real <= b.real, a, b)


def _power(a: Array, b: Array) -> Array:
    """Raise to a power; the derivatives are stated, for the complex logarithm of a negative base is another one."""
    value = np.asarray(np.power(a.real, b.real))
    if not np.iscomplexobj(a) and not np.iscomplexobj(b):
        return value
    by_base = np.where(b.real == 0, 0, b.real * np.power(a.real, b.real - 1))
    by_exponent = np.where(b.imag == 0, 0, value * np.log(np.where(a.real == 0, 1, a.real)))
    return np.asarray(value + 1j * (a.imag * by_base + b.imag * by_exponent))


def _squared_difference(a: Array, b: Array) -> Array:
    return np.asarray((a - b) * (a - b))


def _clip(x: Array, low: Array, high: Array) -> Array:
    return _maximum(_minimum(x, high), low)


def _select(condition: Array, a: Array, b: Array) -> Array:
    """Select number by number, or row by row where the condition is a vector."""
    if condition.ndim == 1 and a.ndim > 1:
        condition = condition.reshape(-1, *(1,) * (a.ndim - 1))
    if a.shape != b.shape or np.broadcast_shapes(condition.shape, a.shape) != a.shape:
        raise ValueError("the shapes to select from differ")
    return np.where(condition, a, b)


def _real(function: Callable[..., Array]) -> Callable[..., Array]:
    return lambda a, b: function(a.real, b.real)


def _all(function: Callable[..., Array]) -> Operation:
    return lambda _, inputs: np.asarray(function(*inputs))


_FUNCTIONS: dict[str, Callable[..., Array]] = {
    "Add": np.add,
    "AddV2": np.add,
    "AddN": _add_n,
    "Sub": np.subtract,
    "Mul": np.multiply,
    "RealDiv": _divide,
    "Div": _divide,
    "DivNoNan": _divide_no_nan,
    "TruncateDiv": _divide,
    "FloorDiv": _floor_divide,
    "FloorMod": _floor_mod,
    "Maximum": _maximum,
    "Minimum": _minimum,
    "Pow": _power,
    "SquaredDifference": _squared_difference,
    "ClipByValue": _clip,
    "Equal": _real(np.equal),
    "NotEqual": _real(np.not_equal),
    "Less": _real(np.less),
    "LessEqual": _real(np.less_equal),
    "Greater": _real(np.greater),
    "GreaterEqual": _real(np.greater_equal),
    "LogicalAnd": np.logical_and,
    "LogicalOr": np.logical_or,
    "LogicalNot": np.logical_not,
    "Select": _select,
    "SelectV2": np.where,
}

OPS: dict[str, Operation] = {op: _all(function) for op, function in _FUNCTIONS.items()}
