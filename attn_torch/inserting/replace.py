"""One attention of a network exchanged for another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from attn_core.interpreters.cost import cost
from attn_core.models.inserting.inserted import Inserted, require_start
from attn_core.models.inserting.places import Place, chosen
from attn_core.models.inserting.report import Report, Row
from attn_core.spec import Block, SpecError
from attn_core.weights import Weights, dialects
from attn_torch.binding import bind, weights
from attn_torch.inserting import networks
from attn_torch.inserting.images import Image, image
from attn_torch.inserting.making import Choice, made
from attn_torch.inserting.passes import Input, calls
from attn_torch.layer import Layer

ALIKE = 1e-5  # of the largest number: float32 in two orders of summation, where another formula is off by percents


def replace(
    model: nn.Module,
    what: Place,
    block: Choice,
    *,
    start: str | float = "paper",
    input: Input = None,
    channels_last: bool | None = None,
) -> Report:
    """Put another attention in the place of layers that are there, as ``replace(model, "layer*.se", "eca")``.

    `what` and `block` are those of `insert`, and so are the other arguments. Where the layer that was there is the new
    block under other names (a dialect), and computes the same with the weights so taken over, they are carried: the
    report's notes say so. Else weights are fresh. Other layers keep their names.

    **Raises** `SpecError`, before anything is changed, as `insert` does.
    """
    networks.require_changeable(model)
    require_start(start)
    known = networks.layers(model)
    picked = {name: known[name] for name in chosen(known, what)}
    inside = [name for name in picked for other in picked if name.startswith(f"{other}.")]
    if inside:
        raise SpecError(f"{inside[0]} is inside of another layer that is to be replaced: choose the outer ones alone.")
    found = calls(model, picked, input)
    images = {name: image(name, old, "before", found, channels_last) for name, old in picked.items()}
    new = {name: _made(name, block, images[name], start, old, model) for name, old in picked.items()}
    rows = []
    for name, layer in new.items():
        note = _carry(picked[name], layer, images[name])
        model.set_submodule(name, _turned(layer, images[name]))
        rows.append(_row(name, layer, images[name], start, note))
    return Report(tuple(rows), model)


class ChannelsLast(nn.Module):
    """A layer for images whose channels come last."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Run it."""
        output: torch.Tensor = self.layer(x.movedim(-1, 1)).movedim(1, -1)
        return output


def _turned(layer: Layer, seen: Image) -> nn.Module:
    return ChannelsLast(layer) if seen.channels_last else layer


def _made(name: str, block: Choice, seen: Image, start: str | float, old: nn.Module, model: nn.Module) -> Layer:
    try:
        return made(block, seen.shape, start, old, model)
    except ValueError as error:
        raise SpecError(f"in place of {name}: {error}") from error


def _carry(old: nn.Module, new: Layer, seen: Image) -> str:
    """Give the new layer the weights of the old one, where it is the same block; say what was done."""
    target = new.inner if isinstance(new.block, Inserted) else new
    block: Block = target.block  # type: ignore[assignment,union-attr]
    for source, held in _readings(old, block):
        if _computes_the_same(old, block, held, seen):
            target.load_state_dict(bind(block, held).state_dict())  # type: ignore[union-attr]
            return f"weights carried over, {source}"
    return "fresh weights"


def _readings(old: nn.Module, block: Block) -> list[tuple[str, Weights]]:
    """Return the weights of a layer as those of a block, by each dialect that fits."""
    if isinstance(old, Layer):
        return [("of the same block", weights(old))] if old.block == block else []
    state = {name: tensor.detach().cpu().float().numpy() for name, tensor in old.state_dict().items()}
    found = []
    for guess in dialects.guess(state):
        dialect = dialects.get(guess.dialect)
        if dialect.block is type(block):
            options = {name: value for name, value in block.config().items() if name in dialect.options}
            held = _read(guess.dialect, state, options)
            if held and held[0].arrays().keys() == block.arrays().keys():
                found.append((f"read as {guess.dialect}", held[1]))
    return found


def _read(dialect: str, state: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Block, Weights] | None:
    try:
        return dialects.read(dialect, state, **options)
    except ValueError:
        return None


def _computes_the_same(old: nn.Module, block: Block, held: Weights, seen: Image) -> bool:
    """Say whether both compute the same of an image of noise, outside of training."""
    sizes = (2, seen.shape[1] or 1, *(7,) * (len(seen.shape) - 2))
    try:
        layer = bind(block, held).eval()
        parameter = next(old.parameters(), torch.empty(()))
        x = (
            torch.randn(sizes, generator=torch.Generator().manual_seed(0))
            + torch.linspace(-1, 1, sizes[1])[(..., *(None,) * (len(sizes) - 2))]
        )
        mode = old.training
        with torch.no_grad():
            theirs = old.eval()(x.to(parameter.device, parameter.dtype)).float().cpu()
            ours = layer(x)
        old.train(mode)
    except Exception:  # weights of other shapes, or somebody's layer that takes no such image
        return False
    return theirs.shape == ours.shape and bool((theirs - ours).abs().max() <= ALIKE * ours.abs().max())


def _row(name: str, layer: Layer, seen: Image, start: str | float, note: str) -> Row:
    shape = (1, *seen.shape[1:])
    counted = None if seen.calls is None else seen.calls * cost(layer.block, [n or 1 for n in shape]).multiply_adds
    prefix = f"{name}.layer." if seen.channels_last else f"{name}."
    keys = tuple(prefix + key for key in layer.state_dict())
    return Row(name, "in place of", layer.block, start, shape, layer.block.parameters(), counted, keys, note)
