"""Hou, Zhang, Cheng, Feng: Strip Pooling: Rethinking Spatial Pooling for Scene Parsing. CVPR 2020, arXiv:2003.13328."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import reduce
from typing import ClassVar, TypeVar

from attn_core.blocks.convolution import convolution, convolve
from attn_core.spec import (
    Block,
    Part,
    Parts,
    require,
    require_momentum,
    require_odd,
    require_positive,
    require_type,
)
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")
V = TypeVar("V")


@dataclass(frozen=True, repr=False)
class StripPooling(Block):
    r"""Scale each number by a gate computed from the mean of its row and the mean of its column.

    **In short**: x * sigmoid(f(conv(means of rows) + conv(means of columns)))

    .. math::
        \bar{x}^h_{c,i} = \frac{1}{W} \sum_j x_{c,i,j}, \qquad
        \bar{x}^v_{c,j} = \frac{1}{H} \sum_i x_{c,i,j}, \qquad
        y_{c,i,j} = (K^h * \bar{x}^h)_{c,i} + (K^v * \bar{x}^v)_{c,j}, \qquad
        z = \sigma(f(y)) \odot x
        \qquad \text{(section 3.1 of the paper, the strip pooling module)}

    K are convolutions along a strip, f is a convolution with a kernel of one pixel.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``kernel``: length of the convolutions along the strips, odd (the paper's 3).
    - ``rank``: number of spatial axes: 2 or 3.
    - ``bias``: whether f has a bias.
    - ``norm``: whether batch normalisation follows each convolution along a strip, as in the authors' code.
    - ``relu``: whether f sees relu(y), as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense.

    **Raises** `SpecError` for an even kernel, another rank, no channel, or a momentum outside of 0 to 1.

    **Departures**: the paper's formula has neither normalisation nor relu; the authors' ``SPBlock``, which returns the
    gate alone, is ``norm=True, relu=True``. The paper does not speak of biases; as in the authors' code, f has one and
    the convolutions along the strips have none (without the relu, the bias of f stands for theirs). The paper has two
    spatial axes; with three there are three strips, each the means over two axes. Fresh weights and
    biases are PyTorch's own, which the authors' module leaves as they are.
    """

    source: ClassVar[str] = "Hou et al.: Strip Pooling. CVPR 2020, arXiv:2003.13328"
    family: ClassVar[str] = "gates of pixels"
    words: ClassVar[tuple[str, ...]] = ("SP", "SPNet", "SPBlock")

    channels: int
    kernel: int = 3
    _: KW_ONLY
    rank: int = 2
    bias: bool = True
    norm: bool = False
    relu: bool = False
    momentum: float = 0.1

    def __post_init__(self) -> None:
        require_type(self, channels=int, kernel=int, bias=bool, norm=bool, relu=bool, momentum=(float, int))
        require_strips(self)
        require_positive(self, "channels")
        require_odd(self)
        require_momentum(self)

    def overruled(self) -> tuple[str, ...]:
        """Name `momentum` where nothing is normalised."""
        return () if self.norm else ("momentum",)

    def parts(self) -> dict[str, Part | Block]:
        """Return a convolution along each axis, normalised or not, and f as `fuse`."""
        strips = strip_convolutions(self.channels, self.kernel, self.rank, self.momentum, self.norm)
        return strips | {"fuse": Conv(self.channels, self.channels, (1,) * self.rank, bias=self.bias)}

    def flat(self) -> tuple[str, ...]:
        """Name f."""
        return ("fuse",)

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute sigma(f(y)) as `spatial`, an image of all channels."""
        y = strips(f, p, x, self.rank, self.norm)
        return {"spatial": f.sigmoid(p.fuse(f.relu(y) if self.relu else y))}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute z."""
        return f.multiply(x, self.gates(f, p, x)["spatial"])


def require_strips(block: Block) -> None:
    """Raise `SpecError` unless the block's field `rank` is a number of spatial axes that have strips."""
    require_type(block, rank=int)
    rank: int = getattr(block, "rank")  # noqa: B009 (as in `require_rank`)
    rule = "rank, the number of spatial axes, must be 2 or 3: a strip is the means over all axes but one."
    require(2 <= rank <= 3, f"{block!r}: {rule}")


def strip_convolutions(
    channels: int, kernel: int, rank: int, momentum: float, norm: bool = True
) -> dict[str, Part | Block]:
    """Return the convolutions along the strips: `strip0` along the first spatial axis, `strip1` along the second."""
    found: dict[str, Part | Block] = {}
    for axis in range(rank):
        conv = Conv(channels, channels, _along(axis, rank, kernel), bias=False)
        found |= convolution(f"strip{axis}", conv, momentum, norm)
    return found


def strips(f: Primitives[T], p: Parts, x: T, rank: int, norm: bool = True) -> T:
    """Compute y, an image of x's size: for each axis the means over all others, convolved along it; their sum."""
    means = enumerate(strip_means(f, x, rank))
    total: T = reduce(f.add, [convolve(p, f"strip{axis}", mean, norm) for axis, mean in means])
    return total


def strip_means(f: Primitives[T], x: T, rank: int) -> list[T]:
    """Compute for each spatial axis an image that is 1 long along all others: the means over them."""
    return [f.adaptive_mean(x, _along(axis, rank, None)) for axis in range(rank)]


def _along(axis: int, rank: int, value: V) -> tuple[V | int, ...]:
    """Return a size or kernel that is 1 but along one axis."""
    return tuple(value if i == axis else 1 for i in range(rank))
