"""Other people's Flax modules, of both kinds, against the definition."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from runtimes import need

import attn_core as core
from attn_core.parity import ForeignError, ParityError, assert_parity

need("nnx")

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from flax import linen, nnx  # noqa: E402

import attn_jax.linen  # noqa: E402
import attn_jax.nnx  # noqa: E402

SE = core.SqueezeExcitation(8, 4)
SPATIAL = core.SpatialAttention(3, norm=True, momentum=0.1)
SMALL = {"shape": (2, 8, 4, 3), "draws": 2}


class LinenSE(linen.Module):
    activation: Any = jax.nn.relu

    @linen.compact
    def __call__(self, x):
        hidden = self.activation(linen.Dense(2, name="fc1")(x.mean((1, 2))))
        return x * jax.nn.sigmoid(linen.Dense(8, name="fc2")(hidden))[:, None, None]


class LinenSpatial(linen.Module):
    momentum: float = 0.9

    @linen.compact
    def __call__(self, x, train: bool):
        planes = jnp.concatenate([x.mean(-1, keepdims=True), x.max(-1, keepdims=True)], -1)
        logits = linen.Conv(1, (3, 3), use_bias=False, name="conv")(planes)
        norm = linen.BatchNorm(use_running_average=not train, momentum=self.momentum, name="norm")
        return x * jax.nn.sigmoid(norm(logits))


class NnxSE(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, rate: float = 0.0, activation: Any = jax.nn.relu):
        self.fc1, self.fc2 = nnx.Linear(8, 2, rngs=rngs), nnx.Linear(2, 8, rngs=rngs)
        self.drop = nnx.Dropout(rate, rngs=rngs)
        self.activation = activation

    def __call__(self, x):
        hidden = self.activation(self.fc1(x.mean((1, 2))))
        return x * self.drop(jax.nn.sigmoid(self.fc2(hidden)))[:, None, None]


class NnxSpatial(nnx.Module):
    def __init__(self, rngs: nnx.Rngs, swapped: bool = False):
        self.conv = nnx.Conv(2, 1, (3, 3), use_bias=False, rngs=rngs)
        self.norm = nnx.BatchNorm(1, momentum=0.9, rngs=rngs)
        self.swapped = swapped

    def __call__(self, x):
        planes = [x.mean(-1, keepdims=True), x.max(-1, keepdims=True)]
        logits = self.conv(jnp.concatenate(planes[:: -1 if self.swapped else 1], -1))
        return x * jax.nn.sigmoid(self.norm(logits))


def refused(module: Any, block: core.Block = SE, **options: Any) -> list[str]:
    with pytest.raises(ParityError) as caught:
        assert_parity(module, block, **SMALL | options)
    return str(caught.value).splitlines()


def bound(module: linen.Module, **modes: bool) -> Any:
    return module.bind(module.init(jax.random.key(0), jnp.zeros((1, 4, 4, 8)), **modes))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_right_modules_pass(dtype: str):
    options = SMALL | {"dtype": dtype}
    for module in (NnxSE(nnx.Rngs(0)), LinenSE(), bound(LinenSE()), bound(LinenSE()).unbind()):
        assert assert_parity(module, SE, **options).how == "by the shapes of its arrays"
    for module in (NnxSpatial(nnx.Rngs(0)), LinenSpatial(), bound(LinenSpatial(), train=False)):
        checked = assert_parity(module, SPATIAL, **options)
        assert checked.how == "by its names, which are ours"
        assert {"stat:norm.running_mean", "stat:norm.running_var"} <= checked.tensors.keys()
        assert "it shares the gradient among them" in checked.remark  # jnp.max


def test_ours_pass():
    block = core.CBAM(8, 4, 3, norm=True)
    for package in (attn_jax.nnx, attn_jax.linen):
        checked = assert_parity(package.bind(block), block, **SMALL)
        assert checked.how == "as one of our layers"
        assert not checked.remark


def test_wrong_modules_are_explained():
    lines = refused(NnxSE(nnx.Rngs(0), activation=jax.nn.silu))
    assert lines[0].startswith("The NNX module NnxSE is not SqueezeExcitation(channels=8, reduction=4) in eval")
    assert lines[-2] == "They agree up to reduce and part ways before expand: at relu."
    assert lines[-1].startswith("It matches with activation='silu'")
    assert refused(LinenSE(jax.nn.silu))[-2:] == lines[-2:]
    end = "It matches with the two planes of conv swapped: this is jongchan's order (jongchan.SpatialGate)."
    assert refused(NnxSpatial(nnx.Rngs(0), swapped=True), SPATIAL)[-1] == end
    assert refused(LinenSpatial(0.99), SPATIAL)[-1].startswith("It matches with momentum=0.01")
    random = refused(NnxSE(nnx.Rngs(0), rate=0.5), modes=["eval", "train"])
    assert random[0].startswith("The NNX module NnxSE is not SqueezeExcitation(channels=8, reduction=4) in train")
    assert random[-1].startswith("Its output is random")


@pytest.mark.parametrize(
    ("activation", "end"),
    [
        (jax.nn.leaky_relu, "activation='leaky_relu'."),
        (lambda x: jax.nn.leaky_relu(x, 0.2), "a leaky relu of slope 0.2 in place of relu."),
        (lambda x: x, "relu left out."),
        (jnp.tanh, "tanh in place of relu."),
    ],
)
def test_other_activations_are_told(activation: Any, end: str):
    for module in (NnxSE(nnx.Rngs(0), activation=activation), LinenSE(activation)):
        assert refused(module)[-1] == f"It matches with {end}"


class Needy(NnxSE):
    def __call__(self, x, like):
        return super().__call__(x) + 0 * like


class Stopped(NnxSE):
    def __call__(self, x):
        return jax.lax.stop_gradient(super().__call__(x))


def test_what_has_no_gradients_and_what_needs_more():
    assert refused(Stopped(nnx.Rngs(0)))[-1].startswith("All of its gradients are 0: it was run without them")
    with pytest.raises(ForeignError, match=r"missing 1 required positional argument: 'like', .* wrap it in a layer"):
        assert_parity(Needy(nnx.Rngs(0)), SE, **SMALL)


def test_the_module_stays_as_it_is():
    module = NnxSpatial(nnx.Rngs(0), swapped=True)
    module.eval()
    graph, before = nnx.split(module)
    arrays = jax.tree.map(np.array, before)
    refused(module, SPATIAL)
    after = nnx.split(module)
    assert after[0] == graph
    assert jax.tree.all(jax.tree.map(np.array_equal, arrays, after[1]))
    pair = bound(LinenSpatial(0.99), train=False)
    variables = jax.tree.map(np.array, pair.variables)
    refused(pair, SPATIAL)
    assert jax.tree.all(jax.tree.map(np.array_equal, variables, pair.variables))


def test_a_pair_has_two():
    with pytest.raises(ForeignError, match=r"a Linen module is given as \(module, variables\), got a tuple of 3\."):
        assert_parity((LinenSE(), {}, {}), SE, **SMALL)
