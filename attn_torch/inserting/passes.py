"""A pass through a network that tells which images its layers take and return."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

SIZES = {1: 256, 2: 224, 3: 32}  # pixels along each axis of the image of a pass, by the number of axes
MORE = 32  # by so many pixels is the image of the second pass longer, along each axis

Input = Tensor | Sequence[int] | tuple[Tensor, ...] | None
Shape = tuple[int, ...]


@dataclass(frozen=True)
class Call:
    """One call of a layer: what it took first and what it returned, as shapes, or None for what is no tensor.

    `larger` are the same in a pass on a larger image, or None if the network takes no other size: an axis that is as
    long in both is no axis of pixels.
    """

    taken: Shape | None
    returned: Shape | None
    larger: Call | None = None


Calls = Mapping[str, list[Call]]  # of each layer, by its name


def calls(model: nn.Module, layers: Mapping[str, nn.Module], given: Input) -> Calls | None:
    """Return the calls of these layers in a pass, outside of training; None where no image was given or guessed.

    `given` is an image, its shape, a tuple of all inputs, or None: then a shape is guessed from the first convolution.
    On shapes a pass allocates nothing where the network lets it: on PyTorch's device "meta". **Raises** whatever the
    network does with an image or a shape that was given.
    """
    inputs = _inputs(model, given)
    if inputs is None:
        return None
    try:
        first = _pass(model, layers, inputs)
    except Exception:  # whatever somebody's code does with a guess
        if given is None:
            return None
        raise
    try:
        second = _pass(model, layers, tuple(map(_longer, inputs)))
    except Exception:  # a network of one size
        return first
    if any(len(second[name]) != len(found) for name, found in first.items()):
        return first
    pairs = {name: zip(found, second[name], strict=True) for name, found in first.items()}
    return {name: [replace(call, larger=other) for call, other in both] for name, both in pairs.items()}


def _inputs(model: nn.Module, given: Input) -> tuple[Tensor, ...] | None:
    if isinstance(given, Tensor):
        return (given,)
    if given is not None and all(isinstance(each, Tensor) for each in given):
        return tuple(given)  # type: ignore[arg-type]
    shape: Any = _guess(model) if given is None else tuple(given)
    return None if shape is None else (torch.zeros(shape, dtype=_dtype(model), device="meta"),)


def _longer(x: Tensor) -> Tensor:
    return x.new_empty((*x.shape[:2], *(n + MORE for n in x.shape[2:])), device="meta")


def _guess(model: nn.Module) -> tuple[int, ...] | None:
    for layer in model.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Conv3d):
            rank = len(layer.kernel_size)
            return (1, layer.in_channels, *(SIZES[rank],) * rank)
    return None


def _pass(model: nn.Module, layers: Mapping[str, nn.Module], inputs: tuple[Tensor, ...]) -> dict[str, list[Call]]:
    try:
        return _on_meta(model, layers, inputs)
    except Exception:  # whatever somebody's code does without numbers
        return _on_numbers(model, layers, inputs)


def _on_meta(model: nn.Module, layers: Mapping[str, nn.Module], inputs: tuple[Tensor, ...]) -> dict[str, list[Call]]:
    arrays = {name: tensor.to("meta") for name, tensor in chain(model.named_parameters(), model.named_buffers())}
    with _noting(layers) as found, _outside_of_training(model):
        functional_call(model, arrays, tuple(x.to("meta") for x in inputs))
    return found


def _on_numbers(model: nn.Module, layers: Mapping[str, nn.Module], inputs: tuple[Tensor, ...]) -> dict[str, list[Call]]:
    device = next(chain(model.parameters(), model.buffers()), torch.empty(())).device
    with _noting(layers) as found, _outside_of_training(model):
        model(*(torch.zeros(x.shape, dtype=x.dtype, device=device) if x.is_meta else x for x in inputs))
    return found


def _dtype(model: nn.Module) -> torch.dtype:
    arrays = chain(model.parameters(), model.buffers())
    return next((a.dtype for a in arrays if a.is_floating_point()), torch.get_default_dtype())


@contextmanager
def _noting(layers: Mapping[str, nn.Module]) -> Iterator[dict[str, list[Call]]]:
    found: dict[str, list[Call]] = {name: [] for name in layers}

    def note(name: str) -> Any:
        def hook(layer: nn.Module, given: tuple[Any, ...], named: dict[str, Any], output: Any) -> None:
            first = next(chain(given, named.values()), None)
            found[name].append(Call(_shape(first), _shape(output)))

        return hook

    handles = [layer.register_forward_hook(note(name), with_kwargs=True) for name, layer in layers.items()]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


@contextmanager
def _outside_of_training(model: nn.Module) -> Iterator[None]:
    modes = [(module, module.training) for module in model.modules()]
    try:
        with torch.no_grad():
            model.eval()
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def _shape(x: Any) -> tuple[int, ...] | None:
    return tuple(x.shape) if isinstance(x, Tensor) else None
