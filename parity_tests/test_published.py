"""Dialects of which no run was recorded compute what the published code does, on weights whose shapes tell nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from blocks import EXPRESSIBLE
from published import PUBLISHED

from attn_core import dialects, parity
from attn_core.interpreters import reference
from attn_core.spec import Block

CHANNELS = 4


def square(name: str) -> tuple[Block, dict]:
    """Return a block whose two layers have the same shape, and the options that its sizes do not tell."""
    block, options = EXPRESSIBLE[name][0]
    changes = {"hidden": CHANNELS} if block.config().get("hidden") else {"reduction": 1}
    return replace(block, channels=CHANNELS, **changes), options


def example(name: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return arrays by their names, and an image."""
    rng = np.random.default_rng(0)
    entries = dialects.get(name).entries(square(name)[0])
    return {each.key: rng.standard_normal(each.shape) for each in entries}, parity.sample_image((2, CHANNELS, 5, 3))


def ours(name: str, state: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    block, weights = dialects.read(name, state, **square(name)[1])
    return reference.evaluate(block, weights, x)


def exchanged(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the arrays with those of equal shape, of two layers, exchanged."""
    found = dict(state)
    shapes: dict[tuple, list[str]] = {}
    for key, array in state.items():
        shapes.setdefault((array.shape, key.rpartition("/")[2].rpartition(".")[2]), []).append(key)
    for pair in shapes.values():
        if len(pair) == 2:
            found |= dict(zip(pair, [state[key] for key in reversed(pair)], strict=True))
    return found


def test_every_dialect_is_proven_by_a_run_or_here():
    assert {name for name in dialects.names() if not dialects.get(name).proven} <= PUBLISHED.keys()


@pytest.mark.parametrize("name", PUBLISHED)
def test_it_computes_what_was_published(name: str):
    state, x = example(name)
    assert parity.error(ours(name, state, x), PUBLISHED[name](state, x)) < 1e-12


@pytest.mark.parametrize("name", PUBLISHED)
def test_two_layers_that_are_exchanged_are_noticed(name: str):
    """Their shapes are equal here, so that nothing but the computed numbers can tell."""
    state, x = example(name)
    wrong = exchanged(state)
    assert sum(not np.array_equal(wrong[key], array) for key, array in state.items()) >= 2
    assert parity.error(ours(name, wrong, x), PUBLISHED[name](state, x)) > 1e-3
