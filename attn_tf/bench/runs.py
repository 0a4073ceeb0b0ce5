"""One run of a Keras layer, compiled as it is used: a graph in TensorFlow, `jit` in JAX, as it is in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras

from attn_tf.passes import through

Run = Callable[[], Any]


def forward(layer: Any, inputs: list[Any]) -> Run:
    """Return a run as in inference, which ends when its result is there."""
    return RUNS[keras.backend.backend()](layer, inputs, None)


def both(layer: Any, inputs: list[Any], cotangent: Any) -> Run:
    """Return a run as in training, with the gradients of inputs and weights."""
    return RUNS[keras.backend.backend()](layer, inputs, cotangent)


def _tensorflow(layer: Any, inputs: list[Any], cotangent: Any) -> Run:
    import tensorflow as tf

    if cotangent is None:
        graph = tf.function(lambda *given: layer(*given, training=False))
    else:
        weights = [variable.value for variable in layer.trainable_variables]

        def step(*given: Any) -> Any:
            return through(lambda *images: (layer(*images, training=True), []), list(given), cotangent, weights)[:2]

        graph = tf.function(step)
    concrete = graph.get_concrete_function(*inputs)

    def run() -> Any:
        return _waited(concrete(*inputs))

    return run


def _waited(result: Any) -> Any:
    """Return a result of TensorFlow once it is there; on a GPU, functions return before that."""
    import tensorflow as tf

    last = tf.nest.flatten(result)[0]
    return last if "CPU" in last.device.upper() else last[..., :1].numpy()


def _jax(layer: Any, inputs: list[Any], cotangent: Any) -> Run:
    import jax

    weights = [variable.value for variable in layer.trainable_variables]
    fixed = [variable.value for variable in layer.non_trainable_variables]

    def output(weights: Any, *given: Any) -> Any:
        return layer.stateless_call(weights, fixed, *given, training=cotangent is not None)[0]

    def step(weights: Any, *given: Any) -> Any:
        if cotangent is None:
            return output(weights, *given)
        found, back = jax.vjp(output, weights, *given)
        return found, back(cotangent)

    program = jax.jit(step).lower(weights, *inputs).compile()

    def run() -> Any:
        wait: Any = jax.block_until_ready
        return wait(program(weights, *inputs))

    return run


def _torch(layer: Any, inputs: list[Any], cotangent: Any) -> Run:
    import torch

    if cotangent is None:

        def once() -> Any:
            with torch.no_grad():
                return layer(*inputs, training=False)

        return once
    weights = [variable.value for variable in layer.trainable_variables]
    given = [each.detach().clone().requires_grad_() for each in inputs]

    def step() -> Any:
        output = layer(*given, training=True)
        return torch.autograd.grad(output, [*given, *weights], cotangent, allow_unused=True)

    return step


RUNS: dict[str, Callable[[Any, list[Any], Any], Run]] = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
