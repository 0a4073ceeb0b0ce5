"""Attention inserted around a Linen network: paths stay, the start is the identity, and it trains."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from bounds import INSERTED
from runtimes import need

need("linen")

import jax
import numpy as np
from flax import linen as nn
from flax import serialization, traverse_util

import attn_core
from attn_core.models.inserting.report import Report
from attn_core.spec import SpecError
from attn_jax.linen import create, insert, new_parameters, remove


class Residual(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        y = nn.Conv(8, (3, 3), name="conv")(x)
        return nn.relu(x + nn.BatchNorm(use_running_average=not train, name="norm")(y))


class Net(nn.Module):
    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> jax.Array:
        x = nn.Conv(8, (3, 3), strides=2, name="stem")(x)
        for i in range(2):
            x = Residual(name=f"stage{i}")(x, train)
        twice = nn.Conv(8, (1, 1), name="twice")
        return nn.Dense(5, name="head")(twice(twice(x)).mean((1, 2)))


X = np.sin(np.arange(2 * 16 * 12 * 3, dtype=np.float32)).reshape(2, 16, 12, 3)
NET = Net()
OLD = NET.init(jax.random.key(0), X)
WANTED = np.asarray(NET.apply(OLD, X))


def into(*what: Any, **options: Any) -> Report:
    return insert(NET, *what, **{"variables": OLD, "input": X, **options})


def paths(variables: Any) -> set[str]:
    return {"/".join(path[1:]) for path in traverse_util.flatten_dict(variables)}


def same(found: Any, wanted: Any = WANTED) -> bool:
    return bool(np.abs(np.asarray(found) - wanted).max() <= INSERTED * np.abs(wanted).max())


def test_paths_stay_and_the_output():
    """A step moves old and new; states of both are read; what is removed is as it was."""
    report = into("stage*/norm", "CBAM(norm=True)")
    model, variables = report.model, report.variables
    assert paths(variables) == paths(OLD) | set(report.keys)
    assert paths(OLD).isdisjoint(report.keys)
    assert same(model.apply(variables, X))
    trained = step(model, variables)
    old, new = (traverse_util.flatten_dict(each["params"], sep="/") for each in (variables, trained))
    moved = {path for path in old if (np.asarray(old[path]) != np.asarray(new[path])).any()}
    assert {"stem/kernel", "stage0/norm/scale", "head/kernel"} <= moved
    assert any(path.startswith("stage0_norm_attention/inner/") for path in moved)
    again = serialization.from_bytes(variables, serialization.to_bytes(trained))
    assert (np.asarray(model.apply(again, X)) == np.asarray(model.apply(trained, X))).all()
    network, left = remove(model, trained)
    assert network is NET
    assert paths(left) == paths(OLD)
    assert (np.asarray(network.apply(remove(model, variables)[1], X)) == WANTED).all()


def step(model: nn.Module, variables: Any) -> Any:
    @jax.jit
    def once(variables: Any) -> Any:
        def loss(params: Any) -> Any:
            y, moved = model.apply({**variables, "params": params}, X, train=True, mutable=["batch_stats"])
            return (y**2).mean(), moved

        gradients, moved = jax.grad(loss, has_aux=True)(variables["params"])
        return {"params": jax.tree.map(lambda p, g: p - 0.1 * g, variables["params"], gradients), **moved}

    return once(once(variables))


def test_new_parameters_are_a_mask():
    report = into("stem", "se")
    mask = new_parameters(report.model, report.variables["params"])
    flat = traverse_util.flatten_dict(mask, sep="/")
    assert {path for path, new in flat.items() if new} == set(report.keys)
    assert jax.tree.structure(mask) == jax.tree.structure(report.variables["params"])


@pytest.mark.parametrize("place", ["stem", "twice", "stage1"])
def test_sides_and_starts(place: str):
    for side in ("after", "before"):
        if (place, side) == ("stem", "before"):
            continue  # three channels are too few for this block
        report = into(block="se", **{side: place})
        assert same(report.model.apply(report.variables, X))
        paper = into(block="se", **{side: place}, start="paper")
        assert not same(paper.model.apply(paper.variables, X))


def test_inside_of_another_module():
    """The network's place in a larger one does not matter."""
    report = into("stage*/norm", "se", start=0.5)

    class Larger(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array) -> jax.Array:
            return report.model.clone(name="inner", parent=self)(x)

    held = {kind: {"inner": tree} for kind, tree in report.variables.items()}
    assert same(Larger().apply(held, X), np.asarray(report.model.apply(report.variables, X)))


REFUSED: dict[str, tuple[Callable[[], Any], str]] = {
    "no such path": (lambda: into("stage0/nrm", "se"), "nearest: stage0/norm"),
    "no image": (lambda: into("head", "se"), "head (Dense) returns (2, 5), which is no image"),
    "other channels": (lambda: into("stem", attn_core.CBAM(16)), "after stem: CBAM(channels=16, "),
    "no block": (lambda: into("stem"), "insert needs a block"),
    "what is no block": (lambda: into("stem", 3), "is no function: give a function of the channels"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str):
    what, words = REFUSED[case]
    with pytest.raises(SpecError, match=re.escape(words)):
        what()


def test_create():
    assert create("eca", 8, kernel=5).kernel == 5
