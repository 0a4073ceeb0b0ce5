"""What PyTorch keeps for the backward pass, and how large its intermediate arrays are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import attn_core as core

torch = pytest.importorskip("torch")
attn_torch = pytest.importorskip("attn_torch")
_python_dispatch = pytest.importorskip("torch.utils._python_dispatch")

IMAGE = (8, 256, 96, 96)
SMALL = (2, 64, 24, 24)


def image(shape: tuple[int, ...]) -> torch.Tensor:
    """An image as another layer returns it: one that gradients go on from."""
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    return x.requires_grad_()


def kept(run: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> float:
    """Return the bytes of all storages that one forward pass keeps, the image's and the weights' too, in images."""
    storages: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        run(x)
    return sum(storage.nbytes() for storage in storages.values()) / x.untyped_storage().nbytes()


class Largest(_python_dispatch.TorchDispatchMode):
    """Notes the most numbers that any operation returned."""

    numbers = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        tensors = result if isinstance(result, tuple | list) else [result]
        self.numbers = max([self.numbers, *(t.numel() for t in tensors if isinstance(t, torch.Tensor))])
        return result


def largest(run: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> int:
    """Return the most numbers that any operation of one forward pass returned."""
    with Largest() as found:
        run(x)
    return found.numbers


def stored(layer: Any, x: torch.Tensor) -> torch.Tensor:
    """The same mathematics as it is usually written: with the map of all pairs of pixels."""
    query, key, value = (part(x).flatten(2) for part in (layer.query, layer.key, layer.value))
    scores = query.transpose(1, 2) @ key
    weights = scores.softmax(-1) if layer.block.mode == "embedded_gaussian" else scores / scores.shape[-1]
    y = (value @ weights.transpose(1, 2)).unflatten(2, x.shape[2:])
    return x + layer.project(y)
