"""A wrong input is explained in the same words under every transformation; the explainers read shapes alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from runtimes import FRAMEWORKS, in_keras, need

import attn_core as core

BLOCKS = {"SqueezeExcitation": core.SqueezeExcitation(16, 4), "CBAM": core.CBAM(16, 4)}
WRONG = {"SqueezeExcitation": "reduce: Dense expects 16 features", "CBAM": "expects 16 features"}


def notes(call: Callable[[], Any]) -> str:
    """Return an error and its notes; one that an explainer raised itself would have the wrong type."""
    try:
        call()
    except Exception as error:
        return "\n".join([f"{type(error).__name__}: {error}", *getattr(error, "__notes__", ())])
    raise AssertionError("no error")


# ---- JAX -------------------------------------------------------------------------------------------------------------


def in_jax(apply: Callable[..., Any], weights: Any, x: Any) -> dict[str, Callable[[], Any]]:
    """Return calls of a function of weights and an image under JAX's transformations."""
    import jax

    def total(weights: Any, x: Any) -> Any:
        return apply(weights, x).sum()

    def step(carry: Any, image: Any) -> Any:
        return carry, apply(weights, image)

    return {
        "eager": lambda: apply(weights, x),
        "jit": lambda: jax.jit(apply)(weights, x),
        "grad": lambda: jax.grad(total)(weights, x),
        "jit of grad": lambda: jax.jit(jax.grad(total))(weights, x),
        "vmap": lambda: jax.vmap(apply, (None, 0))(weights, x[None]),
        "eval_shape": lambda: jax.eval_shape(apply, weights, x),
        "checkpoint": lambda: jax.grad(jax.checkpoint(total))(weights, x),
        "scan": lambda: jax.lax.scan(step, 0, x[None]),
        "jvp": lambda: jax.jvp(lambda x: apply(weights, x), (x,), (x,)),
    }


JAX = ("eager", "jit", "grad", "jit of grad", "vmap", "eval_shape", "checkpoint", "scan", "jvp")


@pytest.mark.parametrize("how", JAX)
@pytest.mark.parametrize("name", BLOCKS)
def test_linen_weights_of_another_number_of_channels(name: str, how: str):
    """In Linen the image says the channels: what does not fit are the weights."""
    need("linen")
    import jax.numpy as jnp

    from attn_jax import linen

    module, variables = linen.bind(BLOCKS[name], core.initialise(BLOCKS[name])).unbind()
    said = notes(in_jax(module.apply, variables, jnp.ones((2, 5, 5, 8)))[how])
    assert "These are not weights of " in said
    assert "channels=8" in said
    assert "Tracer" not in said


@pytest.mark.parametrize("how", JAX)
@pytest.mark.parametrize("name", BLOCKS)
def test_nnx(name: str, how: str):
    need("nnx")
    import jax.numpy as jnp
    from flax import nnx as flax_nnx

    from attn_jax import nnx

    graph, state = flax_nnx.split(nnx.bind(BLOCKS[name], core.initialise(BLOCKS[name])))

    def apply(state: Any, x: Any) -> Any:
        return flax_nnx.merge(graph, state)(x)

    assert WRONG[name] in notes(in_jax(apply, state, jnp.ones((2, 5, 5, 8)))[how])


# ---- PyTorch ---------------------------------------------------------------------------------------------------------


def in_torch(layer: Any) -> dict[str, Callable[[], Any]]:
    import torch
    from torch.utils.checkpoint import checkpoint

    x = torch.ones(2, 8, 5, 5, requires_grad=True)
    weights = dict(layer.named_parameters())

    def call(weights: Any, x: Any) -> Any:
        return torch.func.functional_call(layer, weights, (x,))

    return {
        "eager": lambda: layer(x),
        "no_grad": lambda: torch.no_grad()(layer)(x),
        "functional_call": lambda: call(weights, x),
        "vmap": lambda: torch.vmap(layer)(x[None]),
        "grad": lambda: torch.func.grad(lambda weights: call(weights, x).sum())(weights),
        "checkpoint": lambda: checkpoint(layer, x, use_reentrant=False),
        "reentrant checkpoint": lambda: checkpoint(layer, x, use_reentrant=True),
        "meta": lambda: layer.to("meta")(x.to("meta")),
    }


TORCH = (
    "eager", "no_grad", "functional_call", "vmap", "grad", "checkpoint", "reentrant checkpoint", "meta",
)  # fmt: skip


@pytest.mark.parametrize("how", TORCH)
@pytest.mark.parametrize("name", BLOCKS)
def test_torch(name: str, how: str):
    need("torch")
    import attn_torch

    assert WRONG[name] in notes(in_torch(attn_torch.bind(BLOCKS[name], core.initialise(BLOCKS[name])))[how])


def test_torch_export_keeps_its_own_error():
    """Sizes that are symbols may not be compared: no error of the explainer takes the place of the export's."""
    need("torch")
    import torch

    import attn_torch

    layer = attn_torch.bind(BLOCKS["CBAM"], core.initialise(BLOCKS["CBAM"]))
    sizes = {0: torch.export.Dim("batch"), 2: torch.export.Dim("height")}
    said = notes(lambda: torch.export.export(layer, (torch.ones(2, 8, 5, 5),), dynamic_shapes=(sizes,)))
    assert "16" in said
    assert "ShapeError" not in said.partition(":")[0]


# ---- Keras -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("backend", [name.removeprefix("keras-") for name in FRAMEWORKS if name.startswith("keras")])
def test_keras(backend: str):
    need(f"keras-{backend}")
    for how, said in in_keras(backend, "test_explained", "keras_notes").items():
        assert said.count("reduce: Dense expects 16 features") == 1, (how, said)


def keras_notes() -> dict[str, str]:
    """Call layers in the ways of this process's backend."""
    import keras

    import attn_tf

    layer = attn_tf.bind(BLOCKS["SqueezeExcitation"], core.initialise(BLOCKS["SqueezeExcitation"]))
    x = np.ones((2, 5, 5, 8), "float32")

    class Around(keras.Model):
        def __init__(self):
            super().__init__()
            self.layer = layer

        def call(self, x):
            return self.layer(x)

    model = Around()
    model.compile("sgd", "mse")
    ways = {
        "eager": lambda: layer(x),
        "symbolic": lambda: layer(keras.Input((5, 5, 8))),
        "predict": lambda: model.predict(x, verbose=0),
        "fit": lambda: model.fit(x, x, verbose=0),
    }
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        ways["function"] = lambda: tf.function(layer)(x)
        ways["function of a user"] = lambda: tf.function(lambda x: 2 * layer(x))(x)
        ways["gradient in a function"] = lambda: tf.function(lambda x: tf.gradients(layer(x), x))(tf.constant(x))
        ways["compiled function"] = lambda: tf.function(layer, jit_compile=True)(x)
    return {how: notes(way) for how, way in ways.items()}
