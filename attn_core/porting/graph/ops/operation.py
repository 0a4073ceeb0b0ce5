"""What an operation of TensorFlow is here, and how it reads its attributes.

An operation takes its node and the inputs in the node's order. It computes in the type it is given: float32 stays
float32, float64 runs a network more precisely than TensorFlow did, and the imaginary part of a complex number carries a
derivative (of a step of 1e-30), so that what selects or compares looks at real parts alone.

An attribute that a file leaves out has the default that TensorFlow's registry states.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from attn_core.porting.graph.graph import Node
from attn_core.porting.graph.lazy import Array
from attn_core.weights.files.tf1.dtypes import codec_of

Lengths = tuple[int, ...]  # of windows, strides and the like, one for each axis
Operation = Callable[[Node, tuple[Array, ...]], Array | tuple[Array, ...]]

DEAD: Array = np.array("the output of a branch that is not taken")  # known by its identity


def flag(node: Node, name: str, default: bool = False) -> bool:
    """Return a truth value."""
    return bool(node.attributes[name].b) if name in node.attributes else default


def integer(node: Node, name: str, default: int = 0) -> int:
    """Return an integer."""
    return int(node.attributes[name].i) if name in node.attributes else default


def number(node: Node, name: str, default: float) -> float:
    """Return a float; attributes are of float32, their defaults too."""
    return float(node.attributes[name].f if name in node.attributes else np.float32(default))


def text(node: Node, name: str, default: str = "") -> str:
    """Return a text."""
    return bytes(node.attributes[name].s).decode("utf-8", "replace") if name in node.attributes else default


def integers(node: Node, name: str) -> tuple[int, ...]:
    """Return a list of integers; it is empty where there is none."""
    return tuple(node.attributes[name].list.i) if name in node.attributes else ()


def dtype(node: Node, name: str, default: str) -> np.dtype[Any]:
    """Return a type as NumPy has it."""
    return (
        codec_of(node.attributes[name].type, f"the attribute {name}").result
        if name in node.attributes
        else np.dtype(default)
    )


def channels_first(node: Node) -> bool:
    """Whether the channels come before the space: NCHW and NCDHW."""
    return text(node, "data_format", "NHWC").startswith("NC")


def vector(array: Array) -> tuple[int, ...]:
    """Return the integers of a vector, or the one of a scalar."""
    _require_no_image(array)
    return tuple(int(value) for value in array.reshape(-1))


def scalar(array: Array) -> int:
    """Return the only integer of an array."""
    _require_no_image(array)
    return int(array.reshape(-1)[0]) if array.size == 1 else int(array)


def _require_no_image(array: Array) -> None:
    """Refuse numbers of the image, which are complex, where a shape or axes are read: what follows would hang on it."""
    if np.iscomplexobj(array):
        raise ValueError("numbers of the image stand where a shape or axes are stated")


def product(a: Array, b: Array) -> Array:
    """Return the matrix product; of a complex with a real matrix in two real products, half the work."""
    if np.iscomplexobj(a) == np.iscomplexobj(b):
        return np.asarray(a @ b)
    real, imaginary = (a.real @ b, a.imag @ b) if np.iscomplexobj(a) else (a @ b.real, a @ b.imag)
    total = np.empty(real.shape, np.result_type(a, b))
    total.real, total.imag = real, imaginary
    return total


def absolute(x: Array) -> Array:
    """Return the absolute value, analytic off 0."""
    return np.where(x.real < 0, -x, x) if np.iscomplexobj(x) else np.abs(x)


def extended(x: Array, value: Array, slope: Array) -> Array:
    """Return a function's value with the derivative that x carries; `value` and `slope` are real."""
    return value + 1j * (x.imag * slope) if np.iscomplexobj(x) else value
