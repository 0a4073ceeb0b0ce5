"""Ejected files, run as runtimes are: weights, inputs and a cotangent in, an `Outcome` out, all in float64."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from attn_core.parity import Outcome
from attn_core.spec import Block
from attn_core.spec.initializers import Constant, Directions, Initializer, Normal, Values

Array = np.ndarray
Weights = Mapping[str, Array]


def module(text: str) -> dict[str, Any]:
    """Run a file, and return what it defines."""
    found: dict[str, Any] = {"__name__": "ejected"}
    exec(compile(text, "ejected.py", "exec"), found)
    return found


def in_torch(text: str, block: Block, weights: Weights, inputs: tuple[Array, ...], pull: Array, train: bool) -> Outcome:
    import torch

    layer = module(text)[type(block).__name__]().double()
    state = {name: torch.tensor(np.asarray(array), dtype=torch.float64) for name, array in weights.items()}
    counted = {name: array for name, array in layer.state_dict().items() if name.endswith("num_batches_tracked")}
    layer.load_state_dict(state | counted, strict=True)
    given = {name: torch.tensor(array, requires_grad=True) for name, array in zip(block.inputs, inputs, strict=True)}
    output = layer.requires_grad_(True).train(train)(*given.values())
    arrays = block.arrays().items()
    wanted = given | {name: layer.get_parameter(name) for name, array in arrays if array.trainable}
    options: dict[str, Any] = {"allow_unused": True, "materialize_grads": True}
    gradients = torch.autograd.grad(output, list(wanted.values()), torch.tensor(pull), **options)
    moved = {name: attrgetter(name)(layer).numpy() for name, array in arrays if train and not array.trainable}
    named = {name: gradient.numpy() for name, gradient in zip(wanted, gradients, strict=True)}
    return Outcome(output.detach().numpy(), {}, named, moved)


def in_numpy(text: str, block: Block, weights: Weights, inputs: tuple[Array, ...], pull: Array, train: bool) -> Outcome:
    function = next(reversed([value for value in module(text).values() if callable(value)]))
    arrays = {name: np.asarray(array, np.float64) for name, array in weights.items()}
    return Outcome(function(*inputs, *([arrays] if arrays else [])), {}, {})


def _in_flax(
    call: Callable[..., Any], block: Block, weights: Weights, inputs: tuple[Array, ...], pull: Array, train: bool
) -> Outcome:
    """Run `call(params, statistics, *inputs)`, which returns the output and the statistics after it."""
    import jax

    from attn_jax.runtime import _canonical, _inputs, _named, _native
    from attn_jax.weights import to_flax

    with jax.enable_x64(True):
        variables = to_flax(block, weights, "float64")
        params, statistics = variables.get("params", {}), variables.get("batch_stats", {})

        def run(params: Any, *given: Any) -> Any:
            return call(params, statistics, *given)

        given = _inputs(block, inputs if len(inputs) > 1 else inputs[0], "float64")

        @jax.jit
        def both(cotangent: Any, *given: Any) -> Any:
            output, back, moved = jax.vjp(run, *given, has_aux=True)
            return output, moved, back(cotangent)

        output, moved, (of_params, *found) = both(_native(pull, "float64"), params, *given)
        images = [_canonical(each) for each in found[: block.images]]
        named = dict(zip(block.inputs, [*images, *map(np.asarray, found[block.images :])], strict=True))
        gradients = named | _named({"params": of_params})
        return Outcome(_canonical(output), {}, gradients, _named({"batch_stats": moved}) if train else {})


def in_linen(text: str, block: Block, weights: Weights, inputs: tuple[Array, ...], pull: Array, train: bool) -> Outcome:
    layer = module(text)[type(block).__name__]()
    told = {"train": train} if "train: bool = False" in text.rpartition("class ")[2] else {}

    def call(params: Any, statistics: Any, *given: Any) -> Any:
        variables = {"params": params, "batch_stats": statistics}
        output, moved = layer.apply(variables, *given, mutable=["batch_stats"], **told)
        return output, moved.get("batch_stats", {})

    return _in_flax(call, block, weights, inputs, pull, train)


def in_nnx(text: str, block: Block, weights: Weights, inputs: tuple[Array, ...], pull: Array, train: bool) -> Outcome:
    import jax
    from flax import nnx

    from attn_jax.nnx.runtime import merged

    kind = module(text)[type(block).__name__]
    layer = kind(rngs=nnx.Rngs(0)) if "rngs: nnx.Rngs" in text.rpartition("class ")[2] else kind()
    layer.set_attributes(use_running_average=not train, deterministic=not train, raise_if_not_found=False)
    graph, state = nnx.split(layer)

    def call(params: Any, statistics: Any, *given: Any) -> Any:
        own = jax.tree.map(lambda leaf: leaf, state)
        nnx.replace_by_pure_dict(own, merged(params, statistics))
        module = nnx.merge(graph, own)
        return module(*given), nnx.to_pure_dict(nnx.state(module, nnx.BatchStat))

    return _in_flax(call, block, weights, inputs, pull, train)


RUN: dict[str, Callable[..., Outcome]] = {
    "torch": in_torch,
    "numpy": in_numpy,
    "linen": in_linen,
    "nnx": in_nnx,
}


def in_keras(text: str, block: Block, weights: Weights, inputs: tuple[Array, ...], pull: Array, train: bool) -> Outcome:
    import keras
    import tensorflow as tf

    from attn_tf.binding import bind, variables
    from attn_tf.names import to_canonical
    from attn_tf.runtime import _canonical, _inputs, _native, _numpy

    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        layer = module(text)[type(block).__name__]()
        given = _inputs(block, inputs if len(inputs) > 1 else inputs[0], "float64", "channels_last")
        layer(*given)
        ours = bind(block, weights, dtype="float64")
        layer.set_weights(ours.get_weights())
        told = {"training": train} if "training=None" in text.rpartition("class ")[2] else {}
        with tf.GradientTape() as tape:
            for each in given:
                tape.watch(each)
            output = layer(*given, **told)
        trainable = layer.trainable_variables
        zero = tf.UnconnectedGradients.ZERO
        found = tape.gradient(
            output,
            [*given, *(variable.value for variable in trainable)],
            tf.constant(_native(pull, "channels_last")),
            unconnected_gradients=zero,
        )
    finally:
        keras.config.set_dtype_policy(before)
    images = [_canonical(each, "channels_last") for each in found[: block.images]]
    named = dict(zip(block.inputs, [*images, *map(_numpy, found[block.images : len(given)])], strict=True))
    places = {id(variable): name for name, variable in variables(ours).items()}
    for variable, gradient in zip(ours.trainable_variables, found[len(given) :], strict=True):
        named[places[id(variable)]] = to_canonical(variable, _numpy(gradient))
    after = zip(ours.non_trainable_variables, layer.non_trainable_variables, strict=True)
    moved = {places[id(our)]: _numpy(own.value) for our, own in after if id(our) in places}
    return Outcome(_canonical(output, "channels_last"), {}, named, moved if train else {})


def output_in_keras(text: str, block: Block, weights: Weights, inputs: tuple[Array, ...]) -> Array:
    """Return the output in float32, on whichever backend."""
    from attn_tf.binding import bind
    from attn_tf.runtime import _canonical, _inputs

    layer = module(text)[type(block).__name__]()
    given = _inputs(block, inputs if len(inputs) > 1 else inputs[0], "float32", "channels_last")
    layer(*given)
    layer.set_weights(bind(block, weights).get_weights())
    return _canonical(layer(*given), "channels_last")


RUN["keras"] = in_keras


# ---- fresh weights ---------------------------------------------------------------------------------------------------


def fresh_in_nnx(text: str, block: Block, shapes: tuple[tuple[int, ...], ...]) -> dict[str, Array]:
    from flax import nnx

    from attn_jax.weights import from_flax

    layer = module(text)[type(block).__name__](rngs=nnx.Rngs(0))
    params, statistics = nnx.state(layer, nnx.Param), nnx.state(layer, nnx.BatchStat)
    return from_flax({"params": nnx.to_pure_dict(params), "batch_stats": nnx.to_pure_dict(statistics)})


def fresh_in_linen(text: str, block: Block, shapes: tuple[tuple[int, ...], ...]) -> dict[str, Array]:
    import jax
    import jax.numpy as jnp

    from attn_jax.weights import from_flax

    image = jnp.zeros((1, *(8,) * (len(shapes[0]) - 2), shapes[0][1]))
    init = jax.jit(module(text)[type(block).__name__]().init)
    return from_flax(init(jax.random.key(0), image))


def fresh_in_keras(text: str, block: Block, shapes: tuple[tuple[int, ...], ...]) -> dict[str, Array]:
    import keras

    from attn_tf.binding import bind, weights

    layer = module(text)[type(block).__name__]()
    layer(keras.ops.zeros((1, *(8,) * (len(shapes[0]) - 2), shapes[0][1])))
    ours = bind(block)
    ours.set_weights(layer.get_weights())
    return dict(weights(ours))


FRESH: dict[str, Callable[..., dict[str, Array]]] = {"nnx": fresh_in_nnx, "linen": fresh_in_linen}


def assert_follows(law: Initializer, array: Array, name: str) -> None:
    """Assert that fresh values are what a law draws: exactly where that is no chance, in bounds and width elsewhere."""
    values = np.asarray(array, np.float64)
    if isinstance(law, Constant | Values):
        assert np.array_equal(values, law.draw(np.random.default_rng(0), values.shape)), name
    elif isinstance(law, Directions):
        assert abs(np.linalg.norm(values, axis=-1) - 1).max() < 1e-5, name  # in float32
    else:
        drawn = law.draw(np.random.default_rng(0), (10_000,))
        assert isinstance(law, Normal) or abs(values).max() <= abs(drawn).max() * 1.001, name
        # Six deviations of the deviation of so many numbers.
        assert abs(values.std() / drawn.std() - 1) < 6 / np.sqrt(2 * values.size), name
