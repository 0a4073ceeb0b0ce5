"""Running a ported network in PyTorch, to compare it with the graph it comes from."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks

from attn_core.porting.ported import Found, Pulls, imported
from attn_torch.spill import Spill
from attn_torch.widen import Widened


def run(path: str, images: list[NDArray[np.float64]], cotangents: Pulls, rank: int = 4) -> list[Found]:
    """Run the network of a `model.py` on canonical images: in float32 its output, in float64 both."""
    del rank  # the axes of PyTorch are canonical, whatever they mean
    network = imported(path).load().requires_grad_(False)
    outputs = [_joined(network(torch.tensor(image, dtype=torch.float32))).double().numpy() for image in images]
    with tempfile.TemporaryFile(dir=Path(path).parent) as file:
        spill = Spill(file)
        return [_exact(network, spill, *each) for each in zip(images, cotangents, outputs, strict=True)]


def _exact(
    network: torch.nn.Module,
    spill: Spill,
    image: NDArray[np.float64],
    cotangent: NDArray[np.float64] | None,
    single: NDArray[np.float64],
) -> Found:
    """Run image by image: outside of training none knows of another, and gradients need the memory of one only."""
    images = _singles(image)
    pulls = [None] * len(images) if cotangent is None else _singles(cotangent)
    found = [_gradient(network, spill, *each) for each in zip(images, pulls, strict=True)]
    outputs, gradients = zip(*found, strict=True)
    return Found(single, torch.cat(outputs).numpy(), torch.cat(gradients).numpy())


def _singles(batch: NDArray[np.float64]) -> list[Tensor]:
    return [torch.tensor(batch[k : k + 1], dtype=torch.float64) for k in range(len(batch))]


def _joined(output: Tensor | dict[str, Tensor]) -> Tensor:
    """Return a network's result; of several, (images, numbers)."""
    if isinstance(output, dict):
        return torch.cat([each.flatten(1) for each in output.values()], 1)
    return output


def _gradient(network: torch.nn.Module, spill: Spill, x: Tensor, pull: Tensor | None) -> tuple[Tensor, Tensor]:
    widened = Widened()
    x.requires_grad_(True)
    spill.clear()
    with saved_tensors_hooks(lambda tensor: widened.keep(tensor) or spill.keep(tensor), lambda keep: keep()):
        with widened:
            output = _joined(network(x))
        (gradient,) = torch.autograd.grad(output, x, torch.ones_like(output) if pull is None else pull)
    return output.detach(), gradient
