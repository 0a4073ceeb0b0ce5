"""Hou, Zhou, Feng: Coordinate Attention for Efficient Mobile Network Design. CVPR 2021, arXiv:2103.02907."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import reduce
from typing import ClassVar, Literal, TypeVar, get_args

from attn_core.blocks.bottleneck import Bottleneck
from attn_core.blocks.convolution import convolution, convolve
from attn_core.blocks.strip_pooling import strip_means
from attn_core.spec import Block, Part, Parts, require_choice, require_momentum, require_rank, require_type
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import ACTIVATIONS, Activation, Primitives, pointwise

T = TypeVar("T")

FEWEST = 8  # hidden units
Joined = Literal["product", "sum"]
JOINED: tuple[str, ...] = get_args(Joined)


@dataclass(frozen=True, repr=False)
class CoordinateAttention(Bottleneck):
    r"""Scale an image by a gate for each row and one for each column, computed from the means along the others.

    **In short**: x * sigmoid(F_h f_h) * sigmoid(F_w f_w), with f = delta(norm(F_1 [z_h, z_w]))

    .. math::
        z^h_i = \frac{1}{W} \sum_j x_{ij}, \qquad
        z^w_j = \frac{1}{H} \sum_i x_{ij}, \qquad
        [f^h, f^w] = \delta(\operatorname{norm}(F_1 [z^h, z^w])), \qquad
        y_{ij} = x_{ij} \odot \sigma(F_h f^h_i) \odot \sigma(F_w f^w_j)
        \qquad \text{(equations 4 to 9)}

    The means along both axes are normalised together: as one line of H + W pixels.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: there are ``channels // reduction`` hidden units (the paper's r, 32 if left out), but 8 at least.
    - ``hidden``: number of hidden units, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether the convolutions, all of one pixel, have biases.
    - ``rank``: number of spatial axes: 1, 2 or 3; there is a gate for each axis, from the means over all others.
    - ``norm``: whether the hidden units are normalised over the batch, and ``momentum`` of that (PyTorch's).
    - ``activation``: the paper's delta: "hard_swish", "relu", "silu", "gelu" or "leaky_relu".
    - ``joined``: the gate of a pixel is the "product" of sigmoids, or the sigmoid of the "sum" of what they are of.

    **Raises** `SpecError` if there is no hidden unit or a field has a value that is not listed here.

    **Departures**: the paper's experiments have r = 32, its delta is "a non-linear activation function"; 8 units at
    least and the hard swish are the authors' code, where convolutions before the norm have biases, which have no effect
    in training. timm's `CoordAttn` has ``bias=False`` and a hidden width rounded to a multiple of 8, its
    `SimpleCoordAttn` ``norm=False, activation="silu", joined="sum"``. Of a line there is one axis: a gate for each
    pixel, computed from it alone. Fresh weights and biases are PyTorch's own, as in the authors' code.
    """

    usual: ClassVar[int] = 32
    source: ClassVar[str] = "Hou, Zhou, Feng: Coordinate Attention. CVPR 2021, arXiv:2103.02907"
    family: ClassVar[str] = "gates of both"
    words: ClassVar[tuple[str, ...]] = ("CA", "CoordAtt", "CoordAttn", "coord")

    _: KW_ONLY
    rank: int = 2
    norm: bool = True
    momentum: float = 0.1
    activation: Activation = "hard_swish"
    joined: Joined = "product"

    def __post_init__(self) -> None:
        require_type(self, norm=bool, momentum=(float, int), activation=str, joined=str)
        super().__post_init__()
        require_rank(self)
        require_momentum(self)
        require_choice(self, "activation", ACTIVATIONS)
        require_choice(self, "joined", JOINED)

    @property
    def width(self) -> int:
        """Number of hidden units."""
        return max(super().width, FEWEST) if self.hidden is None else self.hidden

    def overruled(self) -> tuple[str, ...]:
        """Name `reduction` where `hidden` stands in its place, and `momentum` where nothing is normalised."""
        return super().overruled() if self.norm else (*super().overruled(), "momentum")

    def parts(self) -> dict[str, Part | Block]:
        """Return F_1 as `reduce`, its norm, and for each axis a convolution, `expand0` for the first."""
        squeeze = Conv(self.channels, self.width, (1,), bias=self.bias)
        expand = Conv(self.width, self.channels, (1,) * self.rank, bias=self.bias)
        found = convolution("reduce", squeeze, self.momentum, self.norm)
        return found | {f"expand{axis}": expand for axis in range(self.rank)}

    def flat(self) -> tuple[str, ...]:
        """Name the last convolution along each axis."""
        return tuple(f"expand{axis}" for axis in range(self.rank))

    def logits(self, f: Primitives[T], p: Parts, x: T) -> list[T]:
        """Compute for each axis an image of length 1 along the others: F_h f_h for the first of two."""
        means = strip_means(f, x, self.rank)
        hidden = pointwise(f, self.activation)(convolve(p, "reduce", f.join(means), self.norm))
        expand = [getattr(p, f"expand{axis}") for axis in range(self.rank)]
        return [layer(strip) for layer, strip in zip(expand, f.cut(hidden, means), strict=True)]

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gates of each axis, `axis0` for the first; of a sum, one image of all axes, `spatial`."""
        logits = self.logits(f, p, x)
        if self.joined == "sum":
            return {"spatial": f.sigmoid(reduce(f.add, logits))}
        return {f"axis{axis}": f.sigmoid(logit) for axis, logit in enumerate(logits)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute x times all gates."""
        return reduce(f.multiply, self.gates(f, p, x).values(), x)
