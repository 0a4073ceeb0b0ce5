"""Ouyang et al.: Efficient Multi-Scale Attention Module with Cross-Spatial Learning. ICASSP 2023, arXiv:2305.13563."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import reduce
from typing import ClassVar, TypeVar, cast

from attn_core.blocks.strip_pooling import strip_means
from attn_core.spec import Block, Part, Parts, complete, require, require_positive, require_rank, require_type
from attn_core.spec.parts import Conv, GroupNorm
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

MOST = 32  # groups, where their number is left out


@dataclass(frozen=True, repr=False)
class EfficientMultiScaleAttention(Block):
    r"""Scale each group of channels by a map in which a pointwise and a 3x3 branch weigh each other's channels: EMA.

    **In short**: x * sigmoid(softmax(mean(a)) . b + softmax(mean(b)) . a), for each group of channels, with
    a = norm(x * sigmoid(row means) * sigmoid(column means)) and b = conv(x)

    .. math::
        a_{ij} = \operatorname{GN}\bigl(x_{ij} \odot \sigma(F z^h_i) \odot \sigma(F z^w_j)\bigr), \qquad
        b = K * x, \qquad
        m_{ij} = \operatorname{softmax}(\bar a) \cdot b_{ij} + \operatorname{softmax}(\bar b) \cdot a_{ij}, \qquad
        y_{ij} = \sigma(m_{ij}) \, x_{ij}
        \qquad \text{(section 3, with cross-spatial learning)}

    z are the means of the rows and of the columns, F is a convolution of one pixel, K one of 3 x 3, both shared by all
    groups; the bars are means over all pixels, the softmax runs over the channels of a group, GN normalises each of
    them over its pixels.

    Most people who say EMA today mean this block. The EMA of `ExpectationMaximizationAttention` came before it and is
    another; so is an exponential moving average.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C), a multiple of ``groups``.
    - ``groups``: number of groups (the paper's G, the authors' ``factor``); None becomes, when the block is made, the
      largest number up to 32 that divides the channels and leaves two of them or more in a group.
    - ``rank``: number of spatial axes: 1, 2 or 3; there are means along each of them.

    **Raises** `SpecError` unless the groups divide the channels, or for another rank.

    **Departures**: none from the authors' code, whose ``factor`` is 32 also where that leaves groups of one channel,
    over which the softmax is 1: ``groups=32`` says so. Fresh weights and biases are PyTorch's own, as in their code.
    """

    source: ClassVar[str] = "Ouyang et al.: Efficient Multi-Scale Attention. ICASSP 2023, arXiv:2305.13563"
    family: ClassVar[str] = "gates of pixels"
    words: ClassVar[tuple[str, ...]] = ("EMA",)

    channels: int
    groups: int | None = None
    _: KW_ONLY
    rank: int = 2

    def __post_init__(self) -> None:
        require_type(self, channels=int, groups=(int, type(None)))
        require_positive(self, "channels")
        require_rank(self)
        complete(self, groups=adaptive_groups(self.channels))
        require_positive(self, "groups")
        require(self.channels % self._groups == 0, f"{self!r}: groups must divide the {self.channels} channels.")

    @property
    def _groups(self) -> int:
        return cast(int, self.groups)

    def parts(self) -> dict[str, Part | Block]:
        """Return F as `point`, K as `conv`, and the norm of each channel."""
        width = self.channels // self._groups
        return {
            "point": Conv(width, width, (1,) * self.rank),
            "conv": Conv(width, width, (3,) * self.rank),
            "norm": GroupNorm(width, width),
        }

    def flat(self) -> tuple[str, ...]:
        """Name K and the norm: of two images of zeros, the softmax of each still hands gradients to the other."""
        return ("conv", "norm")

    def map(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the gate of an image whose groups are samples: one channel."""
        gates = [f.sigmoid(p.point(means)) for means in strip_means(f, x, self.rank)]
        a = p.norm(reduce(f.multiply, gates, x))
        b = p.conv(x)
        both = f.add(self.weighed(f, a, b), self.weighed(f, b, a))
        return f.sigmoid(f.to_image(both, x))

    def weighed(self, f: Primitives[T], by: T, x: T) -> T:
        """Compute the sum of an image's channels with the softmax of another one's means as weights: tokens."""
        weights = f.matrices(f.softmax(f.global_mean(by)), 1)
        return f.einsum("bnc,bkc->bnk", f.to_tokens(x), weights)

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute sigma(m) as `spatial`, an image of one channel for each group."""
        return {"spatial": f.ungroup(self.map(f, p, f.group(x, self._groups)), self._groups)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute sigma(m) * x."""
        grouped = f.group(x, self._groups)
        return f.ungroup(f.multiply(grouped, self.map(f, p, grouped)), self._groups)


def adaptive_groups(channels: int) -> int:
    """Return the number of groups of so many channels, where it is left out."""
    most = max(min(MOST, channels // 2), 1)  # two channels in a group, or the softmax over them is 1
    return max(n for n in range(1, most + 1) if channels % n == 0)
