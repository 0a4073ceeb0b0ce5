"""What users do with the source of a ported network, each in the process of its framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from attn_core.porting.ported import imported


def keras_trains_and_saves(source: str, image: np.ndarray) -> None:
    import keras

    network = imported(source).load()
    wanted = np.asarray(network(image, training=False))
    file = Path(source).with_name("whole.keras")
    network.save(file)
    again = keras.models.load_model(file)
    assert np.abs(np.asarray(again(image, training=False)) - wanted).max() == 0
    before = [np.array(variable) for variable in network.variables]
    network.compile(keras.optimizers.SGD(1.0), "mse")
    network.fit(image, np.random.default_rng(0).standard_normal(wanted.shape), verbose=0)
    names = [v.path for v, old in zip(network.variables, before, strict=False) if np.array_equal(np.asarray(v), old)]
    assert all(name.endswith("bias") and "conv" in name for name in names), names  # which a norm takes away
    assert len(network.trainable_variables) == 62
    assert len(network.non_trainable_variables) >= 22


def nnx_trains(source: str, image: np.ndarray) -> None:
    import jax
    import jax.numpy as jnp
    from flax import nnx

    network = imported(source).load()
    before = jax.tree.map(np.array, nnx.to_pure_dict(nnx.state(network)))
    network.train()

    @nnx.jit
    def step(network: nnx.Module, x: jax.Array) -> None:
        gradients = nnx.grad(lambda network: (network(x) ** 2).sum())(network)
        nnx.update(network, jax.tree.map(lambda w, g: w - g, nnx.state(network, nnx.Param), gradients))

    step(network, jnp.asarray(image))
    _assert_moved(before, nnx.to_pure_dict(nnx.state(network)))


def linen_trains(source: str, image: np.ndarray) -> None:
    import jax
    import jax.numpy as jnp

    network, variables = imported(source).load()

    @jax.jit
    def step(variables: Any, x: jax.Array) -> Any:
        def loss(params: Any) -> Any:
            output, moved = network.apply({**variables, "params": params}, x, train=True, mutable=["batch_stats"])
            return (output**2).sum(), moved

        gradients, moved = jax.grad(loss, has_aux=True)(variables["params"])
        return {"params": jax.tree.map(lambda w, g: w - g, variables["params"], gradients), **moved}

    _assert_moved(variables, step(variables, jnp.asarray(image)))


def _assert_moved(before: Any, after: Any) -> None:
    import jax

    still = jax.tree.map(lambda a, b: np.array_equal(np.asarray(a), np.asarray(b)), before, after)
    names = [jax.tree_util.keystr(path) for path, same in jax.tree_util.tree_leaves_with_path(still) if same]
    assert all("conv" in name and "bias" in name for name in names), names  # which a norm takes away
    assert len(jax.tree.leaves(before)) == 84
