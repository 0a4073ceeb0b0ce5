"""Running a ported network in PyTorch, to compare it with the graph it comes from."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from attn_core.ported import Found, imported


def run(path: str, images: list[NDArray[np.float64]], cotangents: list[NDArray[np.float64]]) -> list[Found]:
    """Run the network of a `model.py` on canonical images: in float32 its output, in float64 both."""
    network = imported(path).load()
    outputs = [network(torch.tensor(image, dtype=torch.float32)).detach().double().numpy() for image in images]
    network = network.double()
    return [_exact(network, *each) for each in zip(images, cotangents, outputs, strict=True)]


def _exact(
    network: torch.nn.Module, image: NDArray[np.float64], cotangent: NDArray[np.float64], single: NDArray[np.float64]
) -> Found:
    x = torch.tensor(image, dtype=torch.float64, requires_grad=True)
    output = network(x)
    (gradient,) = torch.autograd.grad(output, x, torch.tensor(cotangent, dtype=torch.float64))
    return Found(single, output.detach().numpy(), gradient.numpy())
