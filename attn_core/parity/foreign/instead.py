"""What people compute in place of a primitive that no setting and no other primitive is, made of primitives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

Function = Callable[..., Any]

ACTIVATIONS = ("relu", "silu", "gelu", "hard_swish")
GATES = ("sigmoid", "hard_sigmoid")
SQUEEZES = ("global_mean", "global_max", "global_length", "channel_mean", "channel_max")
SLOPES = (0.01, 0.2, 0.1, 0.3)  # of leaky relus: PyTorch's and Flax's, TensorFlow's, Darknet's, Keras 2's


class Instead(NamedTuple):
    """What is computed in place of a primitive: `make` makes it of the primitives of an interpreter.

    `text` follows "it matches with", a pair of braces standing for the primitive's name.
    """

    primitive: str
    text: str
    make: Callable[[Any], Function]


def insteads() -> Iterator[Instead]:
    """Yield the mistakes and the habits, those that change the output first."""
    for name in (*ACTIVATIONS, *GATES):
        yield Instead(name, "{} left out", _nothing)
    for name in ACTIVATIONS:
        for slope in SLOPES:
            yield Instead(name, f"a leaky relu of slope {slope} in place of {{}}", partial(_leaky, slope))
    for name in (*GATES, *ACTIVATIONS):
        yield Instead(name, "tanh in place of {}", _tanh)
    for name in GATES:
        yield Instead(name, "softmax in place of {}", lambda f: f.softmax)
    for name in (*SQUEEZES, *GATES):
        yield Instead(name, "no gradient through {}, as detach, stop_gradient or no_grad do it", partial(_cut, name))


def _nothing(f: Any) -> Function:
    return lambda x: x


def _leaky(slope: float, f: Any) -> Function:
    return lambda x: f.add(f.linear(x, slope), f.linear(f.relu(x), 1 - slope))


def _tanh(f: Any) -> Function:
    return lambda x: f.linear(f.sigmoid(f.linear(x, 2.0)), 2.0, -1.0)


def _cut(name: str, f: Any) -> Function:
    return lambda x: f.stop_gradient(getattr(f, name)(x))
