"""Which way each relu and each maximum of a module went: where float32 goes another way, gradients jump."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional
from torch.utils._python_dispatch import TorchDispatchMode

KINKS = {"relu": (0,), "leaky_relu": (0,), "_prelu_kernel": (0,), "abs": (0,), "maximum": (0,), "minimum": (0,)}
KINKS |= {"hardsigmoid": (-3, 3), "hardswish": (-3, 3)}
BOUNDED = {"hardtanh": (-1, 1), "clamp": (), "clamp_min": (), "clamp_max": (), "threshold": ()}  # bounds are arguments
EXTREMA = {"max", "min", "amax", "amin", "adaptive_max_pool2d", "adaptive_max_pool3d"}
POOLS = {"max_pool2d_with_indices", "max_pool3d_with_indices"}


@dataclass(frozen=True)
class Choice:
    """What one operation chose: sides of its kinks, or places of its maxima; `ties` are numbers that had no side."""

    operation: str
    chosen: torch.Tensor
    ties: int


class Choices(TorchDispatchMode):  # type: ignore[misc]
    """Notes the choices of all operations that are run within it."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[Choice] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__.rstrip("_")
        if name in KINKS or name in BOUNDED:  # before the run, which may be in place
            self.made.append(_side(name, args, kwargs or {}))
        output = func(*args, **(kwargs or {}))
        if name in EXTREMA or name in POOLS:
            self.made.append(_place(name, args, output))
        return output


def flips(one: Choices, other: Choices) -> Iterator[str]:
    """Yield a phrase for each operation that chose otherwise in another dtype."""
    calls: Counter[str] = Counter()
    for a, b in zip(one.made, other.made, strict=True):
        calls[a.operation] += 1
        if count := int((a.chosen != b.chosen).sum()):
            yield f"{a.operation}, call {calls[a.operation]}: {count} of {a.chosen.numel()}"


def ties(choices: Choices) -> Iterator[str]:
    """Yield a phrase for each operation with equal maxima, or numbers on a kink."""
    calls: Counter[str] = Counter()
    for each in choices.made:
        calls[each.operation] += 1
        if each.ties:
            yield f"{each.operation}, call {calls[each.operation]}: {each.ties} of {each.chosen.numel()}"


def _side(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Choice:
    x, *rest = args
    if name in ("maximum", "minimum"):
        x = x - rest[0]
    given = [bound for bound in (*rest, *kwargs.values()) if isinstance(bound, int | float)]
    bounds = KINKS.get(name) or given[:2] or BOUNDED[name]
    away = torch.stack([x.detach() - bound for bound in bounds])
    return Choice(name, away > 0, int((away == 0).sum()))


def _place(name: str, args: Sequence[Any], output: Any) -> Choice:
    if name in POOLS:
        return Choice(name, output[1], _equal_maxima(args[0], output[0], *args[1:4]))
    x, *axes = args
    if name.startswith("adaptive"):
        whole = all(size == 1 for size in args[1])
        axes = [tuple(range(x.ndim - len(args[1]), x.ndim))] if whole else None
    if axes is None:
        return Choice(name, output[1], 0)
    best = x.amax(axes[0] if axes else (), keepdim=True) if "max" in name else x.amin(*axes[:1], keepdim=True)
    chosen = x == best
    return Choice(name, chosen, int((chosen.sum(axes[0] if axes else None) > 1).sum()))


def _equal_maxima(x: torch.Tensor, best: torch.Tensor, kernel: Any, stride: Any = (), padding: Any = 0) -> int:
    """Count the windows of a pool whose maximum stands at several places."""
    rank = best.ndim - 2
    kernel, stride, padding = (_each(size, rank) for size in (kernel, stride or kernel, padding))
    sides = [side for size in reversed(padding) for side in (size, size)]
    windows = functional.pad(x, sides, value=float("-inf"))
    for axis, (size, step) in enumerate(zip(kernel, stride, strict=True), start=2):
        windows = windows.unfold(axis, size, step)
    windows = windows.flatten(2 + rank)
    return int(((windows == windows.amax(-1, keepdim=True)).sum(-1) > 1).sum())


def _each(size: Any, rank: int) -> list[int]:
    given = [size] if isinstance(size, int) else list(size)
    return given * rank if len(given) == 1 else given
