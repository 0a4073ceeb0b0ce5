"""A layer that follows another one, or goes before it, without a change of any name that was there.

It becomes a child of the layer, which keeps its class, its place and its attributes, and a hook runs it. Hooks are
what `torch.compile`, `torch.export`, `copy.deepcopy`, `pickle`, DDP and autocast know. A hook finds the child by its
name, so that copies run their own.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn


class Attached:
    """A hook that runs a child of the layer on an image, whose channels may come last."""

    def __init__(self, child: str, channels_last: bool) -> None:
        self.child, self.channels_last = child, channels_last
        self.froze: tuple[str, ...] = ()  # parameters of the network that were frozen with this insertion

    def run(self, layer: nn.Module, x: Tensor) -> Tensor:
        """Run the child."""
        child = getattr(layer, self.child)
        output: Tensor = child(x.movedim(-1, 1)).movedim(1, -1) if self.channels_last else child(x)
        return output


class After(Attached):
    """Runs the child on the layer's output."""

    side = "after"

    def __call__(self, layer: nn.Module, given: Any, output: Tensor) -> Tensor:
        """Return what becomes of the output."""
        return self.run(layer, output)


class Before(Attached):
    """Runs the child on the layer's first argument."""

    side = "before"

    def __call__(self, layer: nn.Module, given: tuple[Any, ...], named: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        """Return what becomes of the arguments."""
        if given:
            return (self.run(layer, given[0]), *given[1:]), named
        first = next(iter(named))
        return given, named | {first: self.run(layer, named[first])}


def attach(layer: nn.Module, child: nn.Module, hook: Attached) -> None:
    """Let the hook run the child."""
    layer.add_module(hook.child, child)
    if isinstance(hook, After):
        layer.register_forward_hook(hook)
    elif isinstance(hook, Before):
        layer.register_forward_pre_hook(hook, with_kwargs=True)


def attached(model: nn.Module) -> Iterator[tuple[str, nn.Module, Attached]]:
    """Yield what is attached in a network: the layer's name, the layer, and the hook."""
    for name, layer in model.named_modules():
        for hook in (*layer._forward_pre_hooks.values(), *layer._forward_hooks.values()):
            if isinstance(hook, Attached):
                yield name, layer, hook


def detach(layer: nn.Module, hook: Attached) -> None:
    """Take a child and its hook away."""
    delattr(layer, hook.child)
    every: list[tuple[dict[int, Any], dict[int, bool]]] = [
        (layer._forward_hooks, layer._forward_hooks_with_kwargs),
        (layer._forward_pre_hooks, layer._forward_pre_hooks_with_kwargs),
    ]
    for hooks, flags in every:
        for key in [key for key, found in hooks.items() if found is hook]:
            del hooks[key]
            flags.pop(key, None)


@contextmanager
def detached(model: nn.Module) -> Iterator[None]:
    """Take all away for a while, and put it back with its hooks in their order."""
    found = [(layer, getattr(layer, hook.child), hook) for _, layer, hook in attached(model)]
    for layer, _, hook in found:
        detach(layer, hook)
    try:
        yield
    finally:
        for layer, child, hook in found:
            attach(layer, child, hook)
