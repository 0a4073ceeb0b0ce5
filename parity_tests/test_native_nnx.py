"""What users of Flax NNX do with a layer."""

from __future__ import annotations

from runtimes import need

need("nnx")

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import optax
import pytest
from flax import nnx

import attn_core as core
from attn_jax import nnx as layers


def image(*shape: int) -> jax.Array:
    return jax.random.normal(jax.random.key(1), shape or (2, 5, 6, 16))


def layer(**options: object) -> layers.SqueezeExcitation:
    return layers.SqueezeExcitation(16, 4, rngs=nnx.Rngs(0), **options)


def difference(a: jax.Array, b: jax.Array) -> float:
    return float(jnp.abs(a - b).max())


def test_jit_grad_and_vmap():
    module = layer()
    assert difference(nnx.jit(module)(image()), module(image())) < 1e-6

    def loss(module: layers.SqueezeExcitation, x: jax.Array) -> jax.Array:
        return jnp.square(module(x)).sum()

    samples = image(3, 2, 4, 4, 16)
    each = nnx.vmap(nnx.grad(loss), in_axes=(None, 0))(module, samples)
    whole = nnx.grad(lambda m: sum(loss(m, sample) for sample in samples))(module)
    for a, b in zip(jax.tree.leaves(each), jax.tree.leaves(whole), strict=True):
        assert difference(a.sum(0), b) < 1e-4 * float(jnp.abs(b).max())


def test_split_and_merge():
    module = layer()
    graph, state = nnx.split(module)
    assert difference(nnx.merge(graph, state)(image()), module(image())) == 0
    assert hash(graph) == hash(nnx.split(layer())[0])


def test_trains():
    module = layer()
    optimizer = nnx.Optimizer(module, optax.sgd(10.0), wrt=nnx.Param)
    target = 0.3 * image()

    @nnx.jit
    def step(module: layers.SqueezeExcitation, optimizer: nnx.Optimizer) -> jax.Array:
        loss, gradients = nnx.value_and_grad(lambda m: jnp.square(m(image()) - target).mean())(module)
        optimizer.update(module, gradients)
        return loss

    losses = [float(step(module, optimizer)) for _ in range(20)]
    assert losses[-1] < 0.9 * losses[0]


def test_dtypes():
    module = layer(dtype=jnp.bfloat16)
    assert module.reduce.kernel.dtype == jnp.float32
    assert module(image()).dtype == jnp.bfloat16
    assert layer(param_dtype=jnp.bfloat16).reduce.kernel.dtype == jnp.bfloat16


def test_gates():
    module = layer()
    gate = module.gates(image())["channel"]
    assert gate.shape == (2, 16)
    assert difference(image() * gate[:, None, None], module(image())) == 0


def test_bind_weights_and_load(tmp_path):
    block = core.SqueezeExcitation(16, hidden=3, activation="silu")
    weights = core.initialise(block, seed=3)
    core.save(tmp_path / "se.safetensors", block, weights)
    module = layers.load(tmp_path / "se.safetensors")
    assert module.block == block
    found = layers.weights(module)
    assert list(found) == list(weights)
    assert {name: array.tobytes() for name, array in found.items()} == {n: a.tobytes() for n, a in weights.items()}


def test_sharded_batch():
    """Two devices, each with half of the batch, compute what one computes. A process decides how many it has."""
    program = """
import jax, numpy as np
from flax import nnx
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from attn_jax import nnx as layers
module = layers.SqueezeExcitation(16, 4, rngs=nnx.Rngs(0))
x = jax.random.normal(jax.random.key(1), (4, 5, 6, 16))
split = jax.device_put(x, NamedSharding(Mesh(np.array(jax.devices()), ("batch",)), PartitionSpec("batch")))
y = nnx.jit(module)(split)
assert len(y.sharding.device_set) == 2, y.sharding
print(float(abs(np.asarray(y) - np.asarray(module(x))).max()))
"""
    environment = os.environ | {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 1e-6


def test_wrong_channels_are_explained():
    with pytest.raises(TypeError) as caught:
        layer()(image(2, 5, 5, 8))
    assert (
        "SqueezeExcitation(channels=16, reduction=4) on [(2, 5, 5, 8)]: reduce: Dense expects 16 features, got (2, 8)"
    ) in caught.value.__notes__


def test_integer_images_are_refused():
    """Their mean would overflow or be cut."""
    x = jnp.full((2, 5, 6, 16), 200, jnp.uint8)
    for run in (lambda: layer()(x), lambda: layer().gates(x)):
        with pytest.raises(TypeError, match="an image holds floating-point numbers, got uint8: convert it first"):
            run()


def test_no_space_is_explained():
    with pytest.raises(core.ShapeError, match="at least one spatial axis, not 2 axes"):
        layer()(image(2, 16))


def test_wrong_configuration():
    with pytest.raises(core.SpecError, match="leaves no hidden unit: reduction must lie between 1 and 8"):
        layers.SqueezeExcitation(8, 16, rngs=nnx.Rngs(0))
