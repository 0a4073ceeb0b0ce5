"""A pass through a copy of a network, on shapes, that tells which images its layers take and return."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from functools import cache
from itertools import chain
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx

SIZES = {1: 256, 2: 224, 3: 32}  # pixels along each axis of the image of a pass, by the number of axes

Shape = tuple[int, ...]
Call = dict[str, Shape | None]  # what a layer took first, by "before", and what it returned, by "after"
Calls = Mapping[str, list[Call]]

NOTES: ContextVar[dict[int, list[Call]]] = ContextVar("notes")


@cache
def noting(kind: Any) -> type[nnx.Module]:
    """Return the subclass of a class whose calls are noted."""

    def call(self: Any, *given: Any, **named: Any) -> Any:
        first = next(chain(given, named.values()), None)
        output = kind.__call__(self, *given, **named)
        NOTES.get()[id(self)].append({"before": _shape(first), "after": _shape(output)})
        return output

    found: type[nnx.Module] = type(kind)(kind.__name__, (kind,), {"__call__": call, "__module__": kind.__module__})
    return found


def calls(model: nnx.Module, names: Sequence[str], given: Any) -> Calls | None:
    """Return the calls of the layers of these names, outside of training; None where no image was given or guessed.

    `given` is an array, its shape, a tuple of arrays, or None: then shapes are guessed from the convolutions, first
    those of few channels. **Raises** whatever the network does with what was given.
    """
    if given is not None:
        return _pass(model, names, _inputs(given))
    for shape in _guesses(model):
        try:
            return _pass(model, names, _inputs(shape))
        except Exception:  # whatever somebody's code does with a guess
            continue
    return None


def _pass(model: nnx.Module, names: Sequence[str], inputs: tuple[Any, ...]) -> Calls:
    copy: Any = nnx.clone(model)
    copy.eval()
    layers = {name: layer for name, layer in named(copy).items() if name in names}
    notes: dict[int, list[Call]] = {id(layer): [] for layer in layers.values()}
    for layer in layers.values():
        kind: Any = type(layer)
        object.__setattr__(layer, "__class__", noting(kind))
    token = NOTES.set(notes)
    try:
        jax.eval_shape(lambda *images: copy(*images), *inputs)
    finally:
        NOTES.reset(token)
    return {name: notes[id(layer)] for name, layer in layers.items()}


def named(model: nnx.Module) -> dict[str, Any]:
    """Return the modules inside a network by their paths, as ``stage1.0.conv``."""
    return {".".join(map(str, path)): module for path, module in nnx.iter_modules(model) if path}


def _inputs(given: Any) -> tuple[Any, ...]:
    if hasattr(given, "shape"):
        return (given,)
    if all(hasattr(each, "shape") for each in given):
        return tuple(given)
    return (jnp.empty(tuple(given)),)


def _guesses(model: nnx.Module) -> list[Shape]:
    """Return shapes of images; NNX knows no order of layers, but the first convolution has few channels."""
    found = set()
    for layer in named(model).values():
        if isinstance(layer, nnx.Conv):
            rank = len(layer.kernel_size) if isinstance(layer.kernel_size, Sequence) else 1
            found.add((1, *(SIZES[rank],) * rank, layer.in_features))
    return sorted(found, key=lambda shape: shape[-1])


def _shape(x: Any) -> Shape | None:
    return tuple(x.shape) if isinstance(x, jax.Array | jax.ShapeDtypeStruct) else None
