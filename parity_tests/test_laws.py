"""Fresh weights follow the law of TensorFlow 1's `se_block`, in every runtime.

The law is judged by what TensorFlow 1.15 really drew (`golden/tf1/init_stats.json`: 160 draws of 1024 channels).
"""

from __future__ import annotations

import json

import numpy as np
import pytest
from runtimes import FRAMEWORKS, GOLDEN, fresh, need

import attn_core as core
from attn_core.spec.initializers import TruncatedNormal

BLOCK = core.SqueezeExcitation(1024, 16)
DRAWS = 4
KERNELS = {"reduce.weight": "dense/kernel", "expand.weight": "dense_1/kernel"}


@pytest.fixture(scope="module", params=["reference", *FRAMEWORKS])
def drawn(request: pytest.FixtureRequest) -> dict[str, np.ndarray]:
    """Draw the weights a few times."""
    if request.param == "reference":
        draws = [core.initialise(BLOCK, seed) for seed in range(DRAWS)]
    else:
        draws = fresh(need(request.param), BLOCK, DRAWS)
    return {name: np.stack([weights[name] for weights in draws]) for name in BLOCK.arrays()}


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


def test_declared_law():
    assert BLOCK.arrays()["reduce.weight"].law == TruncatedNormal(np.sqrt(2.6 / 1024))
    assert BLOCK.arrays()["expand.weight"].law == TruncatedNormal(np.sqrt(2.6 / 64))


def test_same_seed_same_weights():
    first, again = core.initialise(BLOCK, 7), core.initialise(BLOCK, 7)
    assert all(np.array_equal(first[name], again[name]) for name in first)
