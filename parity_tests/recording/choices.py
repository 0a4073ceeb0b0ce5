"""Which way each relu and each maximum of a module went: where float32 goes another way, gradients jump."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from recording.candidates import candidates

# Where the derivative of an operation jumps; of the others, their arguments say it.
KINKS = {"relu": (0,), "leaky_relu": (0,), "_prelu_kernel": (0,), "abs": (0,), "maximum": (0,), "minimum": (0,)}
KINKS |= {"hardsigmoid": (-3, 3), "hardswish": (-3, 3), "hardtanh": (-1, 1)}
BOUNDED = {"hardtanh", "clamp", "clamp_min", "clamp_max"}
EXTREMA = {"max", "min", "amax", "amin", "max_pool2d_with_indices", "max_pool3d_with_indices"}
EXTREMA |= {"adaptive_max_pool2d", "adaptive_max_pool3d"}


@dataclass(frozen=True)
class Choice:
    """What one operation chose for each of its numbers, along the last axis of `sides`, and which of them are tied."""

    operation: str
    sides: torch.Tensor
    tied: torch.Tensor


class Choices(TorchDispatchMode):  # type: ignore[misc]
    """Notes the choices of all operations that are run within it."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Choice] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        name = func.overloadpacket.__name__.rstrip("_")
        # Before the operation is run, which may be in place.
        if name in KINKS or name in BOUNDED:
            self.made += _at_kinks(name, *args, *kwargs.values())
        elif name in EXTREMA:
            self.made += _of_candidates(name, *args)
        return func(*args, **kwargs)


def flips(one: Choices, other: Choices) -> Iterator[str]:
    """Yield a phrase for each operation that chose otherwise in another dtype."""
    for place, a, b in zip(_places(one.made), one.made, other.made, strict=False):
        if a.sides.shape != b.sides.shape:
            # The module itself has taken another way: nothing behind it can be compared.
            yield f"{place}: another shape"
            return
        yield from _counted(place, (a.sides != b.sides).any(-1))


def ties(choices: Choices) -> Iterator[str]:
    """Yield a phrase for each operation with equal maxima, or numbers on a kink."""
    for place, each in zip(_places(choices.made), choices.made, strict=True):
        yield from _counted(place, each.tied)


def _places(made: Iterable[Choice]) -> Iterator[str]:
    calls: Counter[str] = Counter()
    for each in made:
        calls[each.operation] += 1
        yield f"{each.operation}, call {calls[each.operation]}"


def _counted(place: str, which: torch.Tensor) -> Iterator[str]:
    count = int(which.sum())
    if count:
        yield f"{place}: {count} of {which.numel()}"


def _at_kinks(name: str, x: torch.Tensor, *rest: Any) -> Iterator[Choice]:
    if name in ("maximum", "minimum"):
        x = x - rest[0]
    given = [bound for bound in rest if isinstance(bound, int | float)] if name in BOUNDED else []
    away = [x.detach() - bound for bound in given or KINKS.get(name, ())]
    if away:  # else the bounds are tensors, as nobody has needed yet
        distance = torch.stack(away, -1)
        yield Choice(name, distance > 0, (distance == 0).any(-1))


def _of_candidates(name: str, *args: Any) -> Iterator[Choice]:
    rows = candidates(name, *args)
    if rows is not None:
        best = rows.amin(-1, keepdim=True) if "min" in name else rows.amax(-1, keepdim=True)
        sides = rows == best
        yield Choice(name, sides, sides.sum(-1) > 1)
