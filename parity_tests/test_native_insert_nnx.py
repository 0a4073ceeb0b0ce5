"""Attention inserted into NNX networks, in place: paths stay, the start is the identity, Flax knows the network."""

from __future__ import annotations

import copy
import pickle
import re
from collections.abc import Callable
from typing import Any

import pytest
from bounds import INSERTED
from runtimes import need

need("nnx")

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

import attn_core
from attn_core.spec import SpecError
from attn_jax.nnx import CBAM, create, insert, new_parameters, remove, without


class Residual(nnx.Module):
    def __init__(self, channels: int, rngs: nnx.Rngs):
        self.conv = nnx.Conv(channels, channels, (3, 3), rngs=rngs)
        self.norm = nnx.BatchNorm(channels, rngs=rngs)
        self.unused = nnx.Conv(channels, channels, (1, 1), rngs=rngs)

    def __call__(self, x: jax.Array, scale: float = 1.0) -> jax.Array:
        return nnx.relu(x + scale * self.norm(self.conv(x)))


class Net(nnx.Module):
    def __init__(self, rngs: nnx.Rngs):
        self.stem = nnx.Conv(3, 8, (3, 3), strides=2, rngs=rngs)
        self.stages = nnx.List([Residual(8, rngs), Residual(8, rngs)])
        self.head = nnx.Linear(8, 5, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return self.head(x.mean((1, 2)))


@pytest.fixture
def net() -> Net:
    net = Net(nnx.Rngs(0))
    net.eval()
    return net


X = np.sin(np.arange(2 * 16 * 12 * 3, dtype=np.float32)).reshape(2, 16, 12, 3)
NORMS = ["stages.0.norm", "stages.1.norm"]


def same(found: Any, wanted: Any) -> bool:
    return bool(np.abs(np.asarray(found) - wanted).max() <= INSERTED * np.abs(wanted).max())


def paths(state: Any) -> list[str]:
    return [".".join(map(str, path)) for path, _ in nnx.to_flat_state(state)]


@pytest.mark.parametrize("choice", ["cbam", lambda channels: CBAM(channels, norm=True, rngs=nnx.Rngs(0))])
def test_paths_stay_and_the_output(net: Net, choice: Any):
    """A step moves old and new parameters; states of before and after load; what is removed is as it was."""
    wanted, old = np.asarray(net(X)), nnx.state(nnx.clone(net))  # the variables of a state are the network's own
    old_paths, kind = paths(old), type(net.stages[0].norm)
    report = insert(net, "stages.*.norm", choice)
    assert same(net(X), wanted)
    now = paths(nnx.state(net))
    assert sorted(old_paths + report.keys) == sorted(now)
    before = {path: np.asarray(value[...]) for path, value in nnx.to_flat_state(nnx.state(net, nnx.Param))}
    step(net, nnx.Param, 2)
    after = {path: np.asarray(value[...]) for path, value in nnx.to_flat_state(nnx.state(net, nnx.Param))}
    moved = {".".join(map(str, path)) for path, value in after.items() if (value != before[path]).any()}
    assert {path for path in old_paths if "kernel" in path and "unused" not in path} <= moved
    assert any(path.startswith("stages.0.norm.attention.inner.") for path in moved)
    again = Net(nnx.Rngs(1))
    again.eval()
    insert(again, "stages.*.norm", choice)
    nnx.update(again, nnx.state(net))
    assert (np.asarray(again(X)) == np.asarray(net(X))).all()
    with without(net):
        assert paths(nnx.state(net)) == old_paths
        nnx.update(net, old)
        assert (np.asarray(net(X)) == wanted).all()
    assert remove(net) == NORMS
    assert type(net.stages[0].norm) is kind
    assert (np.asarray(net(X)) == wanted).all()


def step(net: Net, wrt: Any, steps: int) -> None:
    @nnx.jit
    def once(net: Net) -> None:
        gradients = nnx.grad(lambda net: (net(X) ** 2).mean(), argnums=nnx.DiffState(0, wrt))(net)
        state = nnx.state(net, wrt)
        nnx.update(net, jax.tree.map(lambda p, g: p - 0.1 * g, state, gradients))

    net.train()
    for _ in range(steps):
        once(net)
    net.eval()


def test_new_parameters_are_a_filter(net: Net):
    insert(net, "stem", "se")
    before = jax.tree.map(np.asarray, nnx.state(net, nnx.Param))
    step(net, new_parameters(net), 2)
    after = nnx.state(net, nnx.Param)
    changed = {
        ".".join(map(str, path))
        for (path, old), (_, new) in zip(nnx.to_flat_state(before), nnx.to_flat_state(after), strict=True)
        if (np.asarray(old[...]) != np.asarray(new[...])).any()
    }
    assert changed
    assert all(path.startswith("stem.attention.") for path in changed)


@pytest.mark.parametrize("copied", [copy.deepcopy, nnx.clone, lambda net: pickle.loads(pickle.dumps(net))])
def test_copies(net: Net, copied: Callable[[Any], Any]):
    insert(net, "stages.*.norm", "se", start=0.5)
    other = copied(net)
    assert (np.asarray(other(X)) == np.asarray(net(X))).all()
    remove(other)
    assert not same(other(X), np.asarray(net(X)))


def test_before_and_jit(net: Net):
    """On the first argument, named or not; two networks of one kind compile once."""
    x = jnp.ones((1, 4, 4, 8))
    wanted = np.asarray(net.stages[0](x=x, scale=2.0))
    insert(net, before=Residual, block="se")
    assert same(net.stages[0](x=x, scale=2.0), wanted)
    remove(net)
    insert(net, before=Residual, block="se", start="paper")
    other = Net(nnx.Rngs(0))
    other.eval()
    insert(other, before=Residual, block="se", start="paper")
    traced = []

    @nnx.jit
    def run(net: Net, x: jax.Array) -> jax.Array:
        traced.append(1)
        return net(x)

    assert same(run(net, X), np.asarray(net(X)))
    run(other, X)
    assert len(traced) == 1


def test_half_precision_keeps_its_dtype(net: Net):
    net.stem.dtype = jnp.bfloat16
    insert(net, "stem", "se")
    assert net.stem(X).dtype == jnp.bfloat16


REFUSED: dict[str, tuple[Callable[[Net], Any], str]] = {
    "no such path": (lambda net: insert(net, "stages.0.nrm", "se"), "nearest: stages.0.norm"),
    "no image": (lambda net: insert(net, "head", "se"), "head (Linear) returns (1, 5), which is no image"),
    "never called": (lambda net: insert(net, nnx.Conv, "se"), "stages.0.unused (Conv) was not called in a pass"),
    "other channels": (lambda net: insert(net, "stem", attn_core.CBAM(16)), "after stem: CBAM(channels=16, "),
    "what is no block": (lambda net: insert(net, "stem", 3), "A block is a name as"),
    "no block": (lambda net: insert(net, "stem"), "insert needs a block"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(net: Net, case: str):
    what, words = REFUSED[case]
    with pytest.raises(SpecError, match=re.escape(words)):
        what(net)
    assert remove(net) == []


def test_create():
    assert create("eca", 8, kernel=5, rngs=nnx.Rngs(0)).block == attn_core.EfficientChannelAttention(8, kernel=5)
