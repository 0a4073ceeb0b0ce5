"""Between blocks, canonical weights and PyTorch layers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike

from attn_core.spec import Block
from attn_core.weights import canonical
from attn_torch.layer import Layer, build


def bind(
    block: Block,
    weights: Mapping[str, ArrayLike] | None = None,
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Layer:
    """Return the layer for a block, with these canonical weights or fresh ones.

    A block of a class of your own becomes a `Generic` layer.
    **Raises** `attn_core.WeightsError` if the weights are not the block's.
    """
    if weights is None:
        return build(block, device=device, dtype=dtype)
    arrays = canonical.check(block, weights)
    layer = build(block, device="meta", dtype=dtype)  # draws no weights
    layer.to_empty(device=torch.get_default_device() if device is None else device)
    counters = layer.state_dict().keys() - arrays.keys()
    given = {name: torch.tensor(array.copy()) for name, array in arrays.items()}
    layer.load_state_dict(given | {name: torch.tensor(0) for name in counters})
    return layer


def weights(module: Layer) -> canonical.Weights:
    """Return a layer's canonical weights as NumPy arrays (bfloat16 as float32, which holds the same numbers).

    They are those it computes with, also where a parametrisation or pruning stands before them. Quantised ones are
    returned as the numbers they stand for. Sharded ones are gathered, for which every process must call this.
    **Raises** `TypeError` for a module that is no layer of this package, and for tensors that give no numbers.
    """
    if not isinstance(getattr(module, "block", None), Block):
        raise TypeError(f"weights takes a layer of attn_torch, got {type(module).__name__}; give it the layer inside.")
    found = {name: _array(name, attrgetter(name)(module)) for name in module.block.arrays()}
    return canonical.check(module.block, found)


def load(
    path: str | os.PathLike[str],
    *,
    device: torch.device | str | None = None,
    dtype: torch.dtype | None = None,
) -> Layer:
    """Return the layer that a file of `attn_core.save` describes, with its weights."""
    return bind(*canonical.load(path), device=device, dtype=dtype)


def _array(name: str, held: Any) -> np.ndarray:
    tensor: torch.Tensor = held() if callable(held) else held  # quantised layers of PyTorch have a method there
    if hasattr(tensor, "full_tensor"):  # a DTensor, whose import takes as long as half of PyTorch
        tensor = tensor.full_tensor()
    if tensor.is_quantized or type(tensor).__torch_dispatch__ is not torch.Tensor.__torch_dispatch__:
        try:
            tensor = tensor.dequantize()
        except (RuntimeError, TypeError, NotImplementedError) as error:
            kind = type(tensor).__name__
            raise TypeError(
                f"{name} is a {kind}, which gives no numbers: give weights the layer before that."
            ) from error
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).numpy(force=True).copy()
