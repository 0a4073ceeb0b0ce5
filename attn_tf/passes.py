"""One pass through a function, on each backend: what it returns, and the gradients of what goes into it.

A function returns its output and a list of other arrays. Gradients are those of sum(output * cotangent); without a
cotangent of the output's shape there are none. Where `compiled`, JAX compiles the function as a whole.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from attn_tf.arrays import kind

Function = Callable[..., tuple[Any, list[Any]]]
Pass = tuple[Any, list[Any], list[Any]]


def through(function: Function, inputs: list[Any], cotangent: Any = None, *, compiled: bool = False) -> Pass:
    """Run a function; return its output, the gradients of its inputs, and its other arrays."""
    return PASSES[keras.backend.backend()](function, inputs, cotangent, compiled)


def through_layer(layer: Any, inputs: list[Any], cotangent: Any = None, *, train: bool = False) -> Pass:
    """Run a layer or model; in training its variables move.

    Gradients are those of the inputs, then of `trainable_variables`.
    """
    weights, moving = layer.trainable_variables, layer.non_trainable_variables

    def function(*given: Any) -> tuple[Any, list[Any]]:
        values = zip(weights, given[len(inputs) :], strict=True)
        with keras.StatelessScope([*values, *((variable, variable.value) for variable in moving)]) as scope:
            output = layer(*given[: len(inputs)], training=train)
        return output, [scope.get_current_value(variable) for variable in moving]

    values = [keras.ops.convert_to_tensor(variable.value) for variable in weights]
    output, gradients, after = through(function, [*inputs, *values], cotangent, compiled=True)
    for variable, value in zip(moving, after, strict=True):
        variable.assign(value)
    return output, gradients, after


def _tensorflow(function: Function, inputs: list[Any], cotangent: Any, compiled: bool) -> Pass:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output, after = function(*inputs)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    zero = tf.UnconnectedGradients.ZERO
    pull = keras.ops.cast(cotangent, kind(output))
    return output, tape.gradient(output, inputs, output_gradients=pull, unconnected_gradients=zero), after


def _jax(function: Function, inputs: list[Any], cotangent: Any, compiled: bool) -> Pass:
    import jax

    output, pull, after = jax.vjp(jax.jit(function) if compiled else function, *inputs, has_aux=True)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    return output, list(pull(keras.ops.cast(cotangent, kind(output)))), after


def _torch(function: Function, inputs: list[Any], cotangent: Any, compiled: bool) -> Pass:
    import torch

    inputs = [given.detach().clone().requires_grad_() for given in inputs]
    output, after = function(*inputs)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    pull = keras.ops.cast(cotangent, kind(output))
    return output, list(torch.autograd.grad(output, inputs, pull, **options)), after


PASSES: dict[str, Callable[[Function, list[Any], Any, bool], Pass]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
