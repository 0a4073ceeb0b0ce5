"""Hou, Zhang, Cheng, Feng: Strip Pooling: Rethinking Spatial Pooling for Scene Parsing. CVPR 2020, arXiv:2003.13328.

Its mixed pooling module, as the authors' repository has it.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import reduce
from typing import ClassVar, TypeVar

from attn_core.blocks.convolution import convolution, convolve
from attn_core.blocks.strip_pooling import require_strips, strip_convolutions, strips
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


@dataclass(frozen=True, repr=False)
class MixedPoolingModule(Block):
    r"""Add to each number what pools of small and of long windows see: a pyramid of means, and strips.

    **In short**: relu(x + conv([short range, long range]))

    .. math::
        a &= \delta(K_a * x), &
        s &= \delta(K_s * \delta(K_0 * a + \sum_n U(K_n * P_n(a)))), \\
        b &= \delta(K_b * x), &
        l &= \delta(K_l * \delta(K^h * \bar{b}^h + K^v * \bar{b}^v)), \\
        & & z &= \delta(x + K_z * [s; l])
        \qquad \text{(section 3.2 of the paper, figure 3)}

    delta is relu; P_n means over n x n bins; U interpolates linearly to the size of x, with the corner pixels' centres
    aligned; the strips are those of `StripPooling`. Batch normalisation follows each of the convolutions K.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size, also smaller
    than the numbers of bins.

    **Fields**

    - ``channels``: number of channels.
    - ``reduction``: inside there are ``channels // reduction`` channels.
    - ``pools``: the numbers n of bins along each axis of the image.
    - ``kernel``: length of the kernels, along the strips and of K_0, K_n, K_s and K_l, odd.
    - ``rank``: number of spatial axes: 2 or 3.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.

    **Raises** `SpecError` if no channel is left inside, for an even kernel, another rank, numbers of bins below 1, or a
    momentum outside of 0 to 1.

    **Departures**: the paper draws the module and has no formula of it; this is the authors' class ``StripPooling``
    (models/customize.py), with its normalisations and without biases. The strips are repeated to the image's size,
    which is what interpolation from one pixel does. With three spatial axes there are three strips, as in
    `StripPooling`. Fresh weights are PyTorch's own, which the authors' module leaves as they are.
    """

    source: ClassVar[str] = "Hou et al.: Strip Pooling. CVPR 2020, arXiv:2003.13328"
    family: ClassVar[str] = "pooling and sampling"
    words: ClassVar[tuple[str, ...]] = ("MPM",)

    channels: int
    reduction: int = 4
    _: KW_ONLY
    pools: tuple[int, ...] = (20, 12)
    kernel: int = 3
    rank: int = 2
    momentum: float = 0.1

    def __post_init__(self) -> None:
        require_type(self, channels=int, reduction=int, pools=(tuple, list), kernel=int, momentum=(float, int))
        object.__setattr__(self, "pools", tuple(self.pools))  # a list, where the fields were read from a file
        require_strips(self)
        rule = f"reduction must lie between 1 and {self.channels}."
        require_positive(self, "channels")
        require(1 <= self.reduction <= self.channels, f"{self!r} leaves no channel inside: {rule}")
        bins = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in self.pools)
        require(bins, f"{self!r}: pools must be numbers of bins, each at least 1.")
        require_odd(self)
        require_momentum(self)

    def parts(self) -> dict[str, Part | Block]:
        """Return the convolutions, each with its normalisation: the pyramid's, the strips', and `expand` at the end."""
        width, point, window = self.channels // self.reduction, (1,) * self.rank, (self.kernel,) * self.rank
        reduce_to, inner = Conv(self.channels, width, point, bias=False), Conv(width, width, window, bias=False)
        short = {"short_reduce": reduce_to, "local": inner, **{f"pool{i}": inner for i in range(len(self.pools))}}
        found: dict[str, Part | Block] = {}
        for name, conv in (short | {"short_fuse": inner, "long_reduce": reduce_to}).items():
            found |= convolution(name, conv, self.momentum)
        found |= strip_convolutions(width, self.kernel, self.rank, self.momentum)
        found |= convolution("long_fuse", inner, self.momentum)
        return found | convolution("expand", Conv(2 * width, self.channels, point, bias=False), self.momentum)

    def short_range(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute s, of the pyramid."""
        a = f.relu(convolve(p, "short_reduce", x))
        means = [f.adaptive_mean(a, (bins,) * self.rank) for bins in self.pools]
        pooled = [f.resize(convolve(p, f"pool{i}", mean), x) for i, mean in enumerate(means)]
        total = reduce(f.add, pooled, convolve(p, "local", a))
        return f.relu(convolve(p, "short_fuse", f.relu(total)))

    def long_range(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute l, of the strips."""
        b = f.relu(convolve(p, "long_reduce", x))
        return f.relu(convolve(p, "long_fuse", f.relu(strips(f, p, b, self.rank))))

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute z."""
        both = f.concat([self.short_range(f, p, x), self.long_range(f, p, x)])
        return f.relu(f.add(x, convolve(p, "expand", both)))
