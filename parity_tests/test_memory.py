"""What PyTorch keeps of a non-local block for the backward pass, and how large its intermediate arrays become."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from runtimes import need

need("torch")  # else all of this is skipped, before it is imported

import torch  # noqa: E402
from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402

import attn_torch  # noqa: E402

Run = Callable[[Any, torch.Tensor], torch.Tensor]

CONCERNS = ("NonLocal",)
IMAGE = (8, 256, 96, 96)
SMALL = (2, 64, 24, 24)


def image(shape: tuple[int, ...]) -> torch.Tensor:
    """Make an image that gradients pass through, as inside of a network."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()


def with_map(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Compute the block as it is usually written: with an array of all pairs of pixels."""
    query, key, value = (part(x).flatten(2) for part in (layer.query, layer.key, layer.value))
    scores = query.transpose(1, 2) @ key
    weights = scores.softmax(-1) if layer.block.mode == "embedded_gaussian" else scores / scores.shape[-1]
    y = (weights @ value.transpose(1, 2)).transpose(1, 2).contiguous()
    return x + layer.project(y.unflatten(2, x.shape[2:]))


def fused(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """Compute the block as it is."""
    return layer(x)


def kept(run: Run, layer: Any, x: torch.Tensor) -> float:
    """Return what a forward pass keeps beside the image and the parameters, in multiples of the image's bytes."""
    there = {tensor.untyped_storage().data_ptr() for tensor in (x, *layer.parameters())}
    storages: dict[int, Any] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        run(layer, x)
    return sum(storages[at].nbytes() for at in storages.keys() - there) / x.untyped_storage().nbytes()


class Sizes(TorchDispatchMode):
    """Notes the number of elements of whatever an operation returns."""

    def __init__(self) -> None:
        super().__init__()
        self.largest = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        results = result if isinstance(result, tuple | list) else (result,)
        self.largest = max(self.largest, *(t.numel() for t in results if isinstance(t, torch.Tensor)))
        return result


def largest(run: Run, layer: Any, x: torch.Tensor) -> int:
    """Return the number of elements of the largest array that a forward pass makes."""
    with Sizes() as sizes:
        run(layer, x)
    return sizes.largest


def test_softmax_keeps_no_map():
    """Query, key, value and response have half of the channels; one number for each pixel undoes the softmax."""
    assert kept(fused, attn_torch.NonLocal(256), image(IMAGE)) == 2 + 1 / 256


@pytest.mark.parametrize("options", [{}, {"mode": "gaussian"}, {"hidden": 16, "norm": True}], ids=str)
def test_softmax_keeps_little(options: dict[str, Any]):
    assert kept(fused, attn_torch.NonLocal(64, **options), image(SMALL)) < 3


def test_a_map_would_be_seen():
    """It is as many images as there are pixels for a channel: 36 of the large one, so that 38 would be kept."""
    layer, x = attn_torch.NonLocal(64), image(SMALL)
    assert kept(with_map, layer, x) == 2 + 24 * 24 / 64
    assert kept(fused, layer, x) == 2 + 1 / 64


def test_dot_product_makes_no_map():
    """Nothing that it makes is larger than the image."""
    x = image(IMAGE)
    assert largest(fused, attn_torch.NonLocal(256, mode="dot_product"), x) == x.numel()
    assert largest(with_map, attn_torch.NonLocal(64, mode="dot_product"), image(SMALL)) == 2 * (24 * 24) ** 2


@pytest.mark.parametrize("mode", ["embedded_gaussian", "dot_product"])
def test_both_compute_the_same(mode: str):
    layer, x = attn_torch.NonLocal(64, mode=mode), image(SMALL)
    torch.nn.init.normal_(layer.project.weight)
    torch.testing.assert_close(fused(layer, x), with_map(layer, x), rtol=1e-4, atol=1e-4)
