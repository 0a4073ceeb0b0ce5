"""How long our layer takes beside a plain module that a person would write by hand."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from attn_core.blocks import SqueezeExcitation
from attn_torch.binding import bind

SHAPES = ((1, 64, 8, 8), (1, 256, 14, 14), (8, 64, 28, 28), (8, 256, 28, 28), (8, 256, 56, 56))
SLICE = 0.01  # seconds that one measurement takes at least, so that the clock's own noise is small


class Plain(nn.Module):
    """The rival: squeeze-and-excitation written out, as it stands in many repositories."""

    def __init__(self, channels: int, reduction: int = 16) -> None:
        super().__init__()
        self.reduce = nn.Linear(channels, channels // reduction)
        self.expand = nn.Linear(channels // reduction, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the block's output."""
        gate = torch.sigmoid(self.expand(torch.relu(self.reduce(x.mean((2, 3))))))
        return x * gate[:, :, None, None]


@dataclass(frozen=True)
class Row:
    """One comparison: medians over the rounds; `ratio` is the median of each round's ours / plain."""

    shape: tuple[int, ...]
    mode: str
    ours: float
    plain: float
    ratio: float
    quartiles: tuple[float, float]


def compare(rounds: int = 41, threads: int = 1) -> Iterator[Row]:
    """Time both modules on every shape, forward and forward plus backward, in interleaved rounds."""
    torch.set_num_threads(threads)
    for shape in SHAPES:
        ours, plain = bind(SqueezeExcitation(shape[1])), Plain(shape[1])
        plain.load_state_dict(ours.state_dict())
        x = torch.randn(shape)
        for mode, make in (("forward", _forward), ("forward + backward", _backward)):
            yield _row(shape, mode, make(ours, x), make(plain, x), rounds)


def _forward(module: nn.Module, x: Tensor) -> Callable[[], object]:
    @torch.no_grad()
    def run() -> object:
        return module(x)

    return run


def _backward(module: nn.Module, x: Tensor) -> Callable[[], object]:
    x = x.detach().requires_grad_()
    wanted = [x, *module.parameters()]
    cotangent = torch.ones_like(x)
    return lambda: torch.autograd.grad(module(x), wanted, cotangent)


def _row(
    shape: tuple[int, ...], mode: str, ours: Callable[[], object], plain: Callable[[], object], rounds: int
) -> Row:
    calls = max(1, round(SLICE / min(_seconds(plain, 3) for _ in range(3))))
    pairs = [_pair(ours, plain, calls, swap=bool(i % 2)) for i in range(rounds)]
    first, ratio, third = statistics.quantiles([a / b for a, b in pairs], n=4)
    return Row(shape, mode, _median(a for a, _ in pairs), _median(b for _, b in pairs), ratio, (first, third))


def _pair(ours: Callable[[], object], plain: Callable[[], object], calls: int, *, swap: bool) -> tuple[float, float]:
    """Time both, the one that goes first changing from round to round."""
    if swap:
        b, a = _seconds(plain, calls), _seconds(ours, calls)
    else:
        a, b = _seconds(ours, calls), _seconds(plain, calls)
    return a, b


def _seconds(run: Callable[[], object], calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        run()
    return (time.perf_counter() - start) / calls


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)
