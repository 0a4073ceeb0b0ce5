"""One pass through a function, on each backend: what it returns, and the gradients of what goes into it.

A function returns its output and a list of other arrays. Gradients are those of sum(output * cotangent); without a
cotangent of the output's shape there are none.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras

from attn_tf.arrays import kind

Function = Callable[..., tuple[Any, list[Any]]]
Pass = tuple[Any, list[Any], list[Any]]


def through(function: Function, inputs: list[Any], cotangent: Any = None, weights: Sequence[Any] = ()) -> Pass:
    """Run a function; return its output, gradients, and its other arrays.

    Gradients are those of the inputs, then those of weights that the function reads by itself; on JAX there are none.
    """
    return PASSES[keras.backend.backend()](function, inputs, cotangent, weights)


def through_layer(layer: Any, inputs: list[Any], cotangent: Any = None, *, train: bool = False) -> Pass:
    """Run a layer or model as users do, so that in training its variables move; gradients of weights are returned too.

    Their order is that of `trainable_variables`.
    """
    if keras.backend.backend() == "jax":
        return _stateless(layer, inputs, cotangent, train)
    weights = [variable.value for variable in layer.trainable_variables]
    return through(lambda *given: (layer(*given, training=train), []), inputs, cotangent, weights)


def _stateless(layer: Any, inputs: list[Any], cotangent: Any, train: bool) -> Pass:
    """Run a layer on JAX, whose functions read no variables: values go in and come out."""
    import jax

    weights, moving = layer.trainable_variables, layer.non_trainable_variables
    fixed, count = [variable.value for variable in moving], len(inputs)

    def function(*given: Any) -> tuple[Any, list[Any]]:
        output, after = layer.stateless_call(given[count:], fixed, *given[:count], training=train)
        return output, after

    values = [variable.value for variable in weights]
    output, gradients, after = through(jax.jit(function), [*inputs, *values], cotangent)
    for variable, value in zip(moving, after, strict=True):
        variable.assign(value)
    return output, gradients, after


def _tensorflow(function: Function, inputs: list[Any], cotangent: Any, weights: Sequence[Any]) -> Pass:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output, after = function(*inputs)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    zero = tf.UnconnectedGradients.ZERO
    pull = keras.ops.cast(cotangent, kind(output))
    wanted = [*inputs, *weights]
    return output, tape.gradient(output, wanted, output_gradients=pull, unconnected_gradients=zero), after


def _jax(function: Function, inputs: list[Any], cotangent: Any, weights: Sequence[Any]) -> Pass:
    import jax

    output, pull, after = jax.vjp(function, *inputs, has_aux=True)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    return output, list(pull(keras.ops.cast(cotangent, kind(output)))), after


def _torch(function: Function, inputs: list[Any], cotangent: Any, weights: Sequence[Any]) -> Pass:
    import torch

    inputs = [given.detach().clone().requires_grad_() for given in inputs]
    output, after = function(*inputs)
    if cotangent is None or output.shape != cotangent.shape:
        return output, [], after
    options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    pull = keras.ops.cast(cotangent, kind(output))
    return output, list(torch.autograd.grad(output, [*inputs, *weights], pull, **options)), after


PASSES: dict[str, Callable[[Function, list[Any], Any, Sequence[Any]], Pass]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
