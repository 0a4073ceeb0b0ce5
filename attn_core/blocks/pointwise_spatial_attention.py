"""Zhao, Zhang, Liu, Shi, Loy, Lin, Jia: PSANet: Point-wise Spatial Attention Network for Scene Parsing. ECCV 2018."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, field
from typing import ClassVar, Literal, TypeVar, get_args

import numpy as np
from numpy.typing import NDArray

from attn_core.spec import (
    Block,
    Part,
    Parts,
    require,
    require_choice,
    require_momentum,
    require_positive,
    require_rank,
    require_type,
)
from attn_core.spec.parts import BatchNorm, Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

Mode = Literal["both", "collect", "distribute"]
MODES: tuple[str, ...] = get_args(Mode)


@dataclass(frozen=True, repr=False)
class PointwiseSpatialAttention(Block):
    r"""Append to each pixel what it collects from all positions, and what all positions distribute to it.

    **In short**: [x, relu(norm(W [collected, distributed]))]

    .. math::
        z^c_i = \frac{1}{N} \sum_j F_{\Delta_{ij}}(x_i) \, x_j, \qquad
        z^d_i = \frac{1}{N} \sum_j F_{\Delta_{ij}}(x_j) \, x_j
        \qquad \text{(section 3.1 of the paper)}

    N is the number of positions, :math:`\Delta_{ij}` the way from one of i and j to the other. Each branch has its own
    x, :math:`x = \mathrm{relu}(\mathrm{BN}(W_r \, \text{image}))`, and its own F, which predicts at each position an
    attention for every way that there is in the image (section 3.2: the over-completed map H, of
    :math:`(2 H - 1)(2 W - 1)` channels): :math:`F(x_i) = W_a \, \mathrm{relu}(\mathrm{BN}(W_h x_i))`. In the branch
    that collects, i picks from its own map the channel of the way from i to j; in the one that distributes, from j's
    map the channel of the way from j to i. The output is the image with
    :math:`\mathrm{relu}(\mathrm{BN}(W [z^c; z^d]))` appended.

    **Shape**: image (batch, channels, \*size) to (batch, 2 channels, \*size); the maps fit images of this size only.

    **Fields**

    - ``channels``: number of channels (the paper's C_1).
    - ``size``: the image's number of pixels along each axis, or along all where it is one number (the paper's H, W).
    - ``hidden``: number of channels of x (the paper's C_2); a quarter of ``channels`` where None, as in the authors'
      code.
    - ``mode``: the branches: "both", "collect" or "distribute".
    - ``softmax``: whether the attentions that a position i gives to all j are those of a softmax over j, in place of
      the division by N.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.

    **Raises** `SpecError` if there is no channel or hidden channel, for a size below 1 or not one for each axis,
    another mode or rank, or a momentum outside of 0 to 1.

    **Departures**: none in the formula. The authors' later code (semseg) is ``softmax=True``; before its maps it also
    halves the image with bilinear interpolation and enlarges the result again, which is left to the caller here, and
    it knows maps for fewer ways than there are. Fresh weights are PyTorch's own, which
    the authors' later code leaves as they are.
    """

    source: ClassVar[str] = "Zhao et al.: PSANet: Point-wise Spatial Attention Network for Scene Parsing. ECCV 2018"
    family: ClassVar[str] = "attention among positions"
    words: ClassVar[tuple[str, ...]] = ("PSA", "PSANet")

    channels: int
    size: int | tuple[int, ...]
    _: KW_ONLY
    hidden: int | None = None
    mode: Mode = "both"
    softmax: bool = False
    rank: int = 2
    momentum: float = 0.1

    def __post_init__(self) -> None:
        require_type(self, channels=int, size=(int, tuple, list), hidden=(int, type(None)), mode=str, softmax=bool)
        require_type(self, momentum=(float, int))
        if isinstance(self.size, list):  # as the fields are read from a file
            object.__setattr__(self, "size", tuple(self.size))
        require_rank(self)
        require_positive(self, "channels")
        require(self.width >= 1, f"{self!r} leaves no hidden channel: hidden must be at least 1.")
        fits = len(self.sizes) == self.rank and all(type(n) is int and n >= 1 for n in self.sizes)
        rule = f"size must be a number of pixels, at least 1, or one for each of {self.rank} axes."
        require(fits, f"{self!r}: {rule}")
        require_choice(self, "mode", MODES)
        require_momentum(self)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of pixels along each axis."""
        return self.size if isinstance(self.size, tuple) else (self.size,) * self.rank

    @property
    def width(self) -> int:
        """Number of hidden channels."""
        return max(self.channels // 4, 1) if self.hidden is None else self.hidden

    @property
    def branches(self) -> tuple[str, ...]:
        """Names of the branches."""
        return ("collect", "distribute") if self.mode == "both" else (self.mode,)

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return the shape of one image."""
        return ((1, self.channels, *self.sizes),)

    def refuses(self, *shapes: tuple[int | None, ...]) -> str | None:
        """Say that an image of another size does not fit the maps."""
        fits = all(n in (None, own) for n, own in zip(shapes[0][2:], self.sizes, strict=False))
        return None if fits else f"the maps fit images of {self.sizes} pixels only, the field size; got {shapes[0]}"

    def parts(self) -> dict[str, Part | Block]:
        """Return the branches, and the convolution and normalisation that fuse them."""
        branches: dict[str, Part | Block] = {
            name: Branch(self.channels, self.width, self.sizes, name == "distribute", self.softmax, self.momentum)
            for name in self.branches
        }
        fuse = Conv(self.width * len(branches), self.channels, (1,) * self.rank, bias=False)
        return branches | {"fuse": fuse, "norm": BatchNorm(self.channels, self.rank, momentum=self.momentum)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute [x; relu(BN(W [z_c; z_d]))]."""
        z = f.concat([getattr(p, name)(x) for name in self.branches])
        return f.concat([x, f.relu(p.norm(p.fuse(z)))])


@dataclass(frozen=True)
class Branch(Block):
    """One direction of `PointwiseSpatialAttention`: image to image of hidden channels, z_c or z_d."""

    channels: int
    hidden: int
    size: tuple[int, ...]
    distribute: bool
    softmax: bool
    momentum: float
    index: NDArray[np.intp] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the index: for positions i and j, the channel of the way from i to j."""
        places = np.indices(self.size).reshape(len(self.size), -1)
        ways = places[:, None, :] - places[:, :, None]
        channels = tuple(way + n - 1 for way, n in zip(ways, self.size, strict=True))
        object.__setattr__(self, "index", np.ravel_multi_index(channels, self.ways))

    def parts(self) -> dict[str, Part | Block]:
        """Return the convolutions W_r, W_h and W_a with their normalisations."""
        rank, ways = len(self.size), self.ways
        point, norm = (1,) * rank, BatchNorm(self.hidden, rank, momentum=self.momentum)
        return {
            "reduce": Conv(self.channels, self.hidden, point, bias=False),
            "reduce_norm": norm,
            "adapt": Conv(self.hidden, self.hidden, point, bias=False),
            "adapt_norm": norm,
            "attend": Conv(self.hidden, math.prod(ways), point, bias=False),
        }

    @property
    def ways(self) -> tuple[int, ...]:
        """Number of ways from one pixel to another, along each axis."""
        return tuple(2 * n - 1 for n in self.size)

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute z."""
        # The mean is the image itself if that has the right size. If not, the results are of another size than x: an
        # error, also where both have equally many pixels.
        features = f.adaptive_mean(f.relu(p.reduce_norm(p.reduce(x))), self.size)
        tokens = f.to_tokens(features)
        attention = f.take(f.to_tokens(p.attend(f.relu(p.adapt_norm(p.adapt(features))))), self.index)
        if self.distribute:
            attention = f.einsum("bji->bij", attention)
        if self.softmax:
            z = f.einsum("bij,bjc->bic", f.softmax(attention), tokens)
        else:
            z = f.over_positions(f.einsum("bij,bjc->bic", attention, tokens), tokens)
        return f.to_image(z, features)
