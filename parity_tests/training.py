"""One step of plain SGD on a network, written as users of each framework write it."""

from __future__ import annotations

from typing import Any

import numpy as np

from attn_core.spec import Block
from attn_core.weights import Weights

RATE = 0.5
Stepped = tuple[float, Weights]  # the loss before the step, and all weights and statistics after it


def in_torch(block: Block, weights: Weights, images: np.ndarray, labels: np.ndarray) -> Stepped:
    """Use `torch.optim.SGD`."""
    import torch

    import attn_torch

    model = attn_torch.bind(block, weights, dtype=torch.float64).train()
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    loss = torch.nn.functional.cross_entropy(model(torch.tensor(images)), torch.tensor(labels))
    loss.backward()
    optimizer.step()
    return loss.item(), attn_torch.weights(model)


def in_keras(block: Block, weights: Weights, images: np.ndarray, labels: np.ndarray) -> Stepped:
    """Use `compile` and `train_on_batch`."""
    import keras

    import attn_tf
    from attn_tf.runtime import _precision

    # On its torch backend Keras multiplies float64 in float32.
    dtype = "float32" if keras.backend.backend() == "torch" else "float64"
    with _precision(dtype):
        model = attn_tf.bind(block, weights, dtype=dtype, data_format="channels_last")
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype=dtype)
        model.compile(keras.optimizers.SGD(RATE), loss)
        value = model.train_on_batch(np.moveaxis(images, 1, -1).astype(dtype), labels)
        return float(np.asarray(value)), attn_tf.weights(model)


def in_linen(block: Block, weights: Weights, images: np.ndarray, labels: np.ndarray) -> Stepped:
    """Use `module.apply` and optax."""
    import jax
    import jax.numpy as jnp
    import optax

    from attn_jax import linen

    with jax.enable_x64(True):
        module, variables = linen.bind(block, weights, param_dtype="float64").unbind()
        params, rest = variables["params"], {"batch_stats": variables["batch_stats"]}
        x = jnp.moveaxis(jnp.asarray(images), 1, -1)

        def loss_of(params: Any) -> Any:
            logits, moved = module.apply({"params": params, **rest}, x, train=True, mutable=["batch_stats"])
            return optax.softmax_cross_entropy_with_integer_labels(logits, jnp.asarray(labels)).mean(), moved

        optimizer = optax.sgd(RATE)
        (loss, moved), gradients = jax.jit(jax.value_and_grad(loss_of, has_aux=True))(params)
        updates, _ = optimizer.update(gradients, optimizer.init(params))
        return float(loss), linen.weights(module.bind({"params": optax.apply_updates(params, updates), **moved}))


def in_nnx(block: Block, weights: Weights, images: np.ndarray, labels: np.ndarray) -> Stepped:
    """Use `nnx.Optimizer` and optax."""
    import jax
    import jax.numpy as jnp
    import optax
    from flax import nnx

    from attn_jax import nnx as package

    with jax.enable_x64(True):
        model = package.bind(block, weights, param_dtype="float64")
        optimizer = nnx.Optimizer(model, optax.sgd(RATE), wrt=nnx.Param)

        @nnx.jit
        def step(model: Any, optimizer: Any, x: Any, y: Any) -> Any:
            def loss_of(model: Any) -> Any:
                return optax.softmax_cross_entropy_with_integer_labels(model(x), y).mean()

            loss, gradients = nnx.value_and_grad(loss_of)(model)
            optimizer.update(model, gradients)
            return loss

        loss = step(model, optimizer, jnp.moveaxis(jnp.asarray(images), 1, -1), jnp.asarray(labels))
        return float(loss), package.weights(model)
