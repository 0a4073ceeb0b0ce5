"""One pass through a function, on each backend: what it returns, and the gradients of what goes into it.

A function returns its output and a list of other arrays. Gradients are those of sum(output * cotangent); without a
cotangent of the output's shape there are none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from attn_tf.arrays import kind

Function = Callable[..., tuple[Any, list[Any]]]
Pass = tuple[Any, list[Any], list[Any]]


def _tensorflow(function: Function, inputs: list[Any], cotangent: Any) -> Pass:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output, after = function(*inputs)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    zero = tf.UnconnectedGradients.ZERO
    pull = keras.ops.cast(cotangent, kind(output))
    return output, tape.gradient(output, inputs, output_gradients=pull, unconnected_gradients=zero), after


def _jax(function: Function, inputs: list[Any], cotangent: Any) -> Pass:
    import jax

    output, pull, after = jax.vjp(function, *inputs, has_aux=True)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    return output, list(pull(keras.ops.cast(cotangent, kind(output)))), after


def _torch(function: Function, inputs: list[Any], cotangent: Any) -> Pass:
    import torch

    inputs = [given.detach().clone().requires_grad_() for given in inputs]
    output, after = function(*inputs)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    pull = keras.ops.cast(cotangent, kind(output))
    return output, list(torch.autograd.grad(output, inputs, pull, **options)), after


PASSES: dict[str, Callable[[Function, list[Any], Any], Pass]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
