"""The peers of `attn bench` that are always there: they compute what our layers do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import runtimes
from runtimes import need

import attn_core as core
from attn_core.parity.bench import asked
from attn_core.parity.bench.asked import BOTH, FORWARD, USUAL, Trial
from attn_core.parity.bench.contest import COMPILED, OURS
from attn_core.parity.draws import draw
from attn_core.parity.runtimes import beside

SMALLEST = (2, 16, 4, 6)

VARIANTS = {
    **{name: asked.configured(name, SMALLEST) for name in (*USUAL, "SpatialAttention")},
    "CBAM with biases": core.CBAM(16, 4, 3, bias=True, spatial_bias=True),
    "SE without biases": core.SqueezeExcitation(16, 4, bias=False),
    "GC without biases": core.GlobalContext(16, 4, bias=False),
}


def differences(runtime: str, variants: dict[str, core.Block] = VARIANTS, threads: int = 1) -> dict[str, float]:
    """Return how far the plain peer of each block is from ours in float64; called in Keras' own process, too."""
    stand = beside(runtime, "bench").stand("cpu", threads)
    found = {}
    for name, block in variants.items():
        trial = Trial(block, (SMALLEST,), "float64", BOTH)
        drawn = draw(block, trial.shapes, 0, trial.dtype)
        ours, plain = stand.ours(trial, drawn), stand.plain(trial, drawn)
        found[name] = np.abs(stand.output(ours, drawn, trial) - stand.output(plain, drawn, trial)).max()
        entrants = [stand.entrant(OURS, ours, way, trial, drawn) for way in stand.ways[:1]]
        assert stand.copy(trial, drawn).seconds(1) > 0
        assert all(entrant.seconds(1) > 0 for entrant in entrants)
    return found


@pytest.mark.parametrize("runtime", ["torch", "nnx"])
def test_plain_peers_compute_the_same(runtime: str):
    need(runtime)
    before = _threads()
    assert max(differences(runtime).values()) < 1e-12
    _threads(before)


def _threads(count: int | None = None) -> int:
    """Return PyTorch's number of threads where it is installed; set it back."""
    if runtimes.missing("torch"):
        return 1
    import torch

    if count:
        torch.set_num_threads(count)
    return torch.get_num_threads()


def test_plain_peers_compute_the_same_in_keras():
    need("keras-tensorflow")
    found = runtimes.in_keras("tensorflow", "keras_checks", "plain_peers", SMALLEST)
    assert max(found.values()) < 1e-12


@pytest.mark.parametrize("runtime", ["torch", "nnx"])
def test_no_plain_peer_of_another_formula(runtime: str):
    need(runtime)
    before = _threads()
    stand = beside(runtime, "bench").stand("cpu", 1)
    _threads(before)
    for block in (
        core.SqueezeExcitation(16, gate="hard_sigmoid"),
        core.ChannelAttention(16, pools="max"),
        core.SimAM(4),
    ):
        trial = Trial(block, (SMALLEST,), "float32", FORWARD)
        assert stand.plain(trial, None) is None
    line = Trial(core.SqueezeExcitation(16), ((2, 16, 5),), "float32", FORWARD)
    assert stand.plain(line, None) is None
    assert stand.plain(replace(line, block=core.CBAM(16, rank=1)), None) is None


def test_jax_tells_memory():
    need("nnx")
    stand = beside("nnx", "bench").stand("cpu", 1)
    trial = Trial(core.SqueezeExcitation(16, 4), ((2, 16, 16, 16),), "float32", BOTH)
    drawn = draw(trial.block, trial.shapes, 0)
    memory = stand.entrant(OURS, stand.ours(trial, drawn), COMPILED, trial, drawn).memory
    image = 4 * 2 * 16 * 16 * 16
    assert image <= memory.kept < 1.1 * image
    assert memory.peak >= 2 * image
