"""Fresh weights follow their laws, in every runtime.

That of TensorFlow 1's `se_block` is judged by what TensorFlow 1.15 really drew (`golden/tf1/init_stats.json`: 160 draws
of 1024 channels).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from probes import Drawn
from runtimes import FRAMEWORKS, GOLDEN, fresh, need

import attn_core as core
from attn_core.interpreters import reference
from attn_core.models.registry import KNOWN, example
from attn_core.spec.initializers import Constant, Normal, TruncatedNormal, Uniform, Values
from attn_core.spec.parts import Conv, Dense

BLOCK = core.SqueezeExcitation(1024, 16)
DRAWS = 4
KERNELS = {"reduce.weight": "dense/kernel", "expand.weight": "dense_1/kernel"}


@pytest.fixture(scope="module", params=["reference", *FRAMEWORKS])
def drawn(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    """Draw the weights a few times."""
    return draw(request.param, BLOCK)


def draw(runtime: str, block: core.Block) -> dict[str, np.ndarray]:
    if runtime == "reference":
        draws = [core.initialise(block, seed) for seed in range(DRAWS)]
    else:
        draws = fresh(need(runtime), block, DRAWS)
    return {name: np.stack([weights[name] for weights in draws]) for name in block.arrays()}


@pytest.mark.parametrize("name", KERNELS)
def test_kernels(drawn: dict[str, np.ndarray], name: str):
    recorded = json.loads((GOLDEN / "tf1" / "init_stats.json").read_text())["kernels"][KERNELS[name]]
    values = drawn[name].astype(np.float64)
    std = recorded["empirical_std"]
    # Deviations of a mean, a spread and quantiles of this many draws; 5 of them are one chance in a million.
    unit = std / np.sqrt(values.size)
    assert values.shape == (DRAWS, *recorded["shape"][::-1])
    assert abs(values.mean()) < 5 * unit
    assert abs(values.std() - std) < 5 * unit
    assert np.abs(values).max() <= recorded["cut"] * (1 + 1e-6)
    assert np.abs(values).max() > 0.98 * recorded["cut"]
    quantiles = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    assert np.abs(quantiles - recorded["empirical_quantiles_5_25_50_75_95"]).max() < 10 * unit


@pytest.mark.parametrize("name", ["reduce.bias", "expand.bias"])
def test_biases_are_zero(drawn: dict[str, np.ndarray], name: str):
    assert drawn[name].shape == (DRAWS, *BLOCK.arrays()[name].shape)
    assert not drawn[name].any()


@pytest.mark.parametrize("name", KERNELS)
def test_draws_differ(drawn: dict[str, np.ndarray], name: str):
    assert all((a != b).any() for i, a in enumerate(drawn[name]) for b in drawn[name][:i])


@pytest.mark.parametrize("runtime", ["reference", *FRAMEWORKS])
def test_uniform(runtime: str):
    values = draw(runtime, Drawn(Uniform(0.25)))["part.weight"].astype(np.float64)
    assert (values[0] != values[1]).any()
    assert 0.25 * 0.99 < np.abs(values).max() <= 0.25
    # Of n draws, a quantile q deviates by sqrt(q (1 - q) / n) of the range, half of which is 0.25.
    quantiles = np.array([0.05, 0.25, 0.5, 0.75, 0.95])
    unit = 0.5 / np.sqrt(values.size) * np.sqrt(quantiles * (1 - quantiles))
    assert (np.abs(np.quantile(values, quantiles) - (quantiles - 0.5) / 2) < 5 * unit).all()


def test_declared_law():
    assert BLOCK.arrays()["reduce.weight"].law == TruncatedNormal(np.sqrt(2.6 / 1024))
    assert BLOCK.arrays()["expand.weight"].law == TruncatedNormal(np.sqrt(2.6 / 64))


@pytest.mark.parametrize("runtime", ["reference", *FRAMEWORKS])
def test_normal(runtime: str):
    values = draw(runtime, Drawn(Normal(0.25)))["part.weight"].astype(np.float64)
    assert (values[0] != values[1]).any()
    unit = 0.25 / np.sqrt(values.size)
    assert abs(values.mean()) < 5 * unit
    assert abs(values.std() - 0.25) < 5 * unit
    # Quantiles of a normal; none is cut at two deviations, where one in 22 lies beyond.
    found = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
    assert np.abs(found / 0.25 - [-1.6449, -0.6745, 0, 0.6745, 1.6449]).max() < 10 / np.sqrt(values.size)
    assert np.abs(values).max() > 0.5


@pytest.mark.parametrize("block", [core.ChannelAttention(256), core.SpatialAttention(), core.CBAM(256)], ids=str)
def test_gates_are_open_at_first(block: core.Block):
    """After a relu, maxima are large: a law that is too wide closes gates, or opens them, for good."""
    images = (np.maximum(np.random.default_rng(seed).standard_normal((4, 256, 7, 7)), 0) for seed in range(DRAWS))
    for seed, image in enumerate(images):
        for gate in reference.gates(block, core.initialise(block, seed), image).values():
            assert 0.05 < gate.min() < gate.max() < 0.95


LAWS = {Uniform: "uniform", Normal: "normal", TruncatedNormal: "cut normal", Constant: "0", Values: "the identity"}


def layers(block: core.Block) -> Iterator[Dense | Conv]:
    for part in block.parts().values():
        if isinstance(part, core.Block):
            yield from layers(part)
        elif isinstance(part, (Dense, Conv)):
            yield part


def stated(block: core.Block, role: str) -> set[str]:
    return {LAWS[type(layer.arrays()[role].law)] for layer in layers(block) if role in layer.arrays()}


def rows() -> dict[str, list[str]]:
    """Return the rows of the page's table by block."""
    page = (GOLDEN.parents[1] / "docs" / "design.md").read_text()
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line[:3] == "| `"]
    return {name: line[1:] for line in lines if len(line) == 4 for name in re.findall(r"`(\w+)`", line[0])}


@pytest.mark.parametrize("name", KNOWN)
def test_the_page_states_each_law(name: str):
    """Or leaves the block out, which says that all its layers are drawn as PyTorch draws them."""
    block = with_biases(example(name))
    weights, biases, source = rows().get(name, ["uniform", "uniform", "PyTorch"])
    for role, words in (("weight", weights), ("bias", biases)):
        named = set(filter(None, words.split(", ")))
        assert stated(block, role) == named or (name not in rows() and stated(block, role) < named)
    assert source


def test_each_row_is_of_a_block():
    assert rows().keys() <= set(KNOWN)


def with_biases(block: core.Block) -> core.Block:
    """Return the block with the biases that it may have."""
    fields = {name: True for name in ("bias", "spatial_bias") if name in vars(block)}
    return replace(block, **fields) if type(block).__name__ != "ResidualBlock" else block


def test_same_seed_same_weights():
    first, again = core.initialise(BLOCK, 7), core.initialise(BLOCK, 7)
    assert all(np.array_equal(first[name], again[name]) for name in first)
