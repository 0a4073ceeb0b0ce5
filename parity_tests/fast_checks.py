"""What tests of fast forms share: which are taken, and layers of which they would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

import attn_core as core
import attn_torch
from attn_torch.layer import FAST

SPACE = (64, 64)  # with 64 channels, just large enough


@contextmanager
def noting() -> Iterator[Counter[str]]:
    """Count how often the fast form of each block is taken."""
    kept, counts = FAST.copy(), Counter()

    def noted(name, run):
        def ran(layer, *inputs):
            output = run(layer, *inputs)
            counts[name] += output is not None
            return output

        return ran

    FAST.update({block: noted(block.__name__, run) for block, run in kept.items()})
    try:
        yield counts
    finally:
        FAST.clear()
        FAST.update(kept)


@contextmanager
def plainly() -> Iterator[None]:
    """Let no fast form be taken."""
    kept = FAST.copy()
    FAST.clear()
    try:
        yield
    finally:
        FAST.update(kept)


def layer_of(block: core.Block, dtype: torch.dtype = torch.float64) -> attn_torch.Layer:
    """Return a layer with weights off their start."""
    drawn = torch.Generator().manual_seed(1)
    layer = attn_torch.bind(block, core.initialise(block, 1), dtype=dtype)
    with torch.no_grad():
        for weight in layer.parameters():
            weight += torch.randn(weight.shape, generator=drawn, dtype=dtype) / 10
    return layer


def image_of(block: core.Block, dtype: torch.dtype = torch.float64, batch: int = 1) -> Tensor:
    """Return an image with an offset for each sample and channel, large enough also of one sample."""
    drawn = torch.Generator().manual_seed(2)
    spaces = (1, 1), SPACE
    offsets, noise = (torch.randn(batch, block.channels, *size, generator=drawn, dtype=dtype) for size in spaces)
    return (noise + offsets).requires_grad_()


def results(layer: attn_torch.Layer, x: Tensor) -> list[Tensor]:
    """Return output and gradients of a call."""
    output = layer(x)
    pull = torch.randn(output.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64).to(output.dtype)
    wanted = [each for each in (x, *layer.parameters()) if each.requires_grad]
    return [output.detach(), *torch.autograd.grad(output, wanted, pull)]
