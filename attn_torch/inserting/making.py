"""The layer that is inserted at a place: a block of the choice for its channels, with its start."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any

import torch
from torch import nn

from attn_core.interpreters.starting import starting
from attn_core.models.attention import attention
from attn_core.models.inserting.inserted import Inserted
from attn_core.spec import Block, SpecError
from attn_torch.inserting.inserted import Inserted as Native
from attn_torch.layer import Layer, build

# A name or text as "cbam", a block, a layer, or a function of the channels that returns one of the two.
Choice = str | Block | Layer | Callable[[int], Any]


def made(choice: Choice, shape: tuple[int | None, ...], start: str | float, near: nn.Module, model: nn.Module) -> Layer:
    """Return the layer for images of this canonical shape, on the device and in the dtype of what is near.

    **Raises** `SpecError` for a choice that is none, and as `starting` does.
    """
    channels, rank = shape[1], len(shape) - 2
    given = _given(choice, channels or 1, rank)
    block = starting(given.block if isinstance(given, Layer) else given, shape, start)
    placement = _placement(near, model)
    if not isinstance(given, Layer):
        return build(block, **placement).train(near.training)
    layer = given.to(**placement)
    if isinstance(block, Inserted):
        layer = _around(layer, block, placement)
    return layer.train(near.training)


def _given(choice: Choice, channels: int, rank: int) -> Block | Layer:
    if isinstance(choice, Block | Layer):
        return choice
    if isinstance(choice, str) or (isinstance(choice, type) and issubclass(choice, Block)):
        found = attention(choice, channels, rank)
        if found is not None:
            return found
    if not callable(choice):
        raise SpecError(
            f'A block is a name as "cbam", a block, a layer, or a function of the channels; got {choice!r}.'
        )
    result = choice(channels)
    if not isinstance(result, Block | Layer):
        rule = "return a block of attn_core or a layer of attn_torch"
        raise SpecError(f"{choice!r} made {type(result).__name__} for {channels} channels: {rule}.")
    return result


def _around(layer: Layer, block: Inserted, placement: dict[str, Any]) -> Layer:
    """Put a layer that was given, with its weights, in the middle; its last layers start at 0 where the block's do."""
    outer = Native(**block.config(), **placement)
    outer.inner = layer
    with torch.no_grad():
        for name in block.zeros():
            outer.get_parameter(name).zero_()
    return outer


def _placement(near: nn.Module, model: nn.Module) -> dict[str, Any]:
    arrays = chain(*((*module.parameters(), *module.buffers()) for module in (near, model)))
    found = next((array for array in arrays if array.is_floating_point()), None)
    return {} if found is None else {"device": found.device, "dtype": found.dtype}
