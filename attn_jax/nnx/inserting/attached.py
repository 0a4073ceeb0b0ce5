"""A module that follows another one, or goes before it, without a change of any path that was there.

NNX has no hooks. The other module becomes one of a subclass of its class, whose call runs a child, too: it keeps its
place, its attributes and the paths of its variables, and stays an instance of its class. There is one such subclass for
each class, so that `nnx.jit` knows networks of one kind as one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from flax import nnx
from jax import Array

ATTACHED = "attached"  # the attribute of a layer that names its children, and their sides


class Attaching:
    """Marks the layers that run children."""

    __slots__ = ()  # a layer can only become one of a class that holds as much as its own
    attached: tuple[tuple[str, str], ...]
    kind: Any


@cache
def attaching(kind: Any) -> type[nnx.Module]:
    """Return the subclass of a class whose call runs the children before, the layer's own call, and those after it."""

    def call(self: Any, *given: Any, **named: Any) -> Any:
        for name, side in self.attached:
            if side == "before":
                given, named = _before(getattr(self, name), given, named)
        output = kind.__call__(self, *given, **named)
        for name, side in self.attached:
            if side == "after":
                output = _in_dtype(getattr(self, name), output)
        return output

    def reduced(self: Any) -> Any:  # for pickle, by the layer's own class: this one is nobody's attribute
        return _blank, (kind,), vars(self)

    own = {"__call__": call, "__reduce__": reduced, "kind": kind, "__module__": kind.__module__}
    found: type[nnx.Module] = type(kind)(kind.__name__, (kind, Attaching), own)
    return found


def _before(child: Any, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if given:
        return (_in_dtype(child, given[0]), *given[1:]), named
    first = next(iter(named))
    return given, named | {first: _in_dtype(child, named[first])}


def _in_dtype(child: Any, x: Array) -> Array:
    """Run a child; its output is in the image's dtype, though the strength is in float32."""
    output: Array = child(x)
    return output.astype(x.dtype)


def _blank(kind: Any) -> Any:
    return object.__new__(attaching(kind))


def attach(layer: nnx.Module, name: str, side: str, child: nnx.Module) -> None:
    """Let a child be run before or after a layer."""
    setattr(layer, name, child)
    _set(layer, (*getattr(layer, ATTACHED, ()), (name, side)))


def detach(layer: nnx.Module, name: str) -> Any:
    """Take a child away, and return it."""
    child = getattr(layer, name)
    delattr(layer, name)
    _set(layer, tuple(each for each in getattr(layer, ATTACHED) if each[0] != name))
    return child


def _set(layer: nnx.Module, children: tuple[tuple[str, str], ...]) -> None:
    kind = getattr(type(layer), "kind", type(layer))
    object.__setattr__(layer, "__class__", attaching(kind) if children else kind)
    if children:
        setattr(layer, ATTACHED, children)
    else:
        delattr(layer, ATTACHED)


def attached(model: nnx.Module) -> Iterator[tuple[tuple[Any, ...], nnx.Module, str, str]]:
    """Yield what is attached in a network: the layer's path, the layer, the child's name and its side."""
    for path, layer in nnx.iter_modules(model):
        if isinstance(layer, Attaching):
            for name, side in layer.attached:
                yield path, layer, name, side


@contextmanager
def detached(model: nnx.Module) -> Iterator[None]:
    """Take all away for a while."""
    found = [(layer, name, side) for _, layer, name, side in attached(model)]
    children = [detach(layer, name) for layer, name, _ in found]
    try:
        yield
    finally:
        for (layer, name, side), child in zip(found, children, strict=True):
            attach(layer, name, side, child)
