"""A block of two images: files, layouts, axes of one pixel, and what is said of a wrong one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import runtimes
from bounds import FLOAT64
from runtimes import need

import attn_core as core
from attn_core import parity

GATE = core.AttentionGate(8, 4)
WEIGHTS = core.initialise(GATE, 0)
FEATURES, SIGNAL = (parity.sample_image((2, channels, 5, 6), channels) for channels in (8, 4))
RUNTIMES = ["torch", "keras-jax", "linen", "nnx"]


@pytest.mark.parametrize("name", RUNTIMES)
def test_one_pixel_of_the_signal_is_for_all_of_the_features(name: str):
    """As PyTorch repeats it: of a whole axis, the same number each time."""
    column = SIGNAL[..., :1]
    whole = np.repeat(column, 6, -1)
    wanted = core.evaluate(GATE, WEIGHTS, (FEATURES, whole))
    found = runtimes.run(need(name), GATE, WEIGHTS, (FEATURES, column), dtype="float64")
    assert parity.error(found.output, wanted) < FLOAT64


def test_a_file_holds_both_numbers_of_channels(tmp_path: Path):
    need("torch")
    import torch

    import attn_torch

    core.save(tmp_path / "gate.safetensors", GATE, WEIGHTS)
    layer = attn_torch.load(tmp_path / "gate.safetensors").eval().double()
    assert layer.block == GATE
    found = layer(torch.tensor(FEATURES), torch.tensor(SIGNAL)).detach().numpy()
    assert parity.error(found, core.evaluate(GATE, WEIGHTS, (FEATURES, SIGNAL))) < FLOAT64


WRONG = {
    "exchanged": ((SIGNAL, FEATURES), "features: Conv expects 8 channels, got (2, 4, 5, 6)"),
    "channels of the signal": ((FEATURES, SIGNAL[:, :3]), "signal: Conv expects 4 channels, got (2, 3, 5, 6)"),
    "size of the signal": ((FEATURES, SIGNAL[..., :3]), "add: shapes (2, 4, 5, 6) and (2, 4, 5, 3) differ"),
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_image_is_named(kind: str):
    need("torch")
    import torch

    import attn_torch

    images, reason = WRONG[kind]
    layer = attn_torch.bind(GATE, WEIGHTS).double()
    with pytest.raises(RuntimeError) as caught:
        layer(*map(torch.tensor, images))
    shapes = [tuple(image.shape) for image in images]
    assert caught.value.__notes__ == [f"{GATE!r} on {shapes}: {reason}"]


GRID = core.AttentionGate(8, 4, grid=2)


def test_a_grid_takes_a_signal_of_any_size():
    """Finer than the grid, coarser, and of one pixel; in every runtime, of the definition's numbers."""
    weights = core.initialise(GRID, 0)
    for name in RUNTIMES:
        for size in ((5, 6), (1, 1), (3, 2)):
            signal = parity.sample_image((2, 4, *size), 1)
            wanted = core.evaluate(GRID, weights, (FEATURES, signal))
            found = runtimes.run(need(name), GRID, weights, (FEATURES, signal), dtype="float64")
            assert parity.error(found.output, wanted) < FLOAT64, (name, size)


def test_an_image_smaller_than_a_step_of_the_grid_is_refused():
    with pytest.raises(core.ShapeError) as caught:
        core.evaluate(GRID, core.initialise(GRID, 0), (FEATURES[..., :1], SIGNAL))
    assert "an image of (5, 1) pixels holds no whole window of (2, 2)" in str(caught.value)
