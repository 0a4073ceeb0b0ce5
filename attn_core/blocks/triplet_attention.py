"""Misra et al.: Rotate to Attend: Convolutional Triplet Attention Module. WACV 2021, arXiv:2010.03045."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import reduce
from typing import ClassVar, TypeVar

from attn_core.blocks.convolution import convolution, convolve
from attn_core.blocks.spatial_attention import pooled_channels
from attn_core.spec import (
    Block,
    Part,
    Parts,
    require_momentum,
    require_odd,
    require_positive,
    require_rank,
    require_type,
)
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class TripletAttention(Block):
    r"""Scale an image by the mean of three gates: of its pixels, and of channels with columns and with rows.

    **In short**: x * (g1 + g2 + g3) / 3, each the gate of CBAM's spatial attention, two of the image turned

    .. math::
        y = \frac{1}{3} \left( \sigma(\psi_1(\hat\chi_1)) \, x + \sigma(\psi_2(\hat\chi_2)) \, x
            + \sigma(\psi_3(\hat\chi_3)) \, x \right)
        \qquad \text{(section 3.3)}

    The hats are the maximum and the mean over the height, the width and the channels: two images of channels and
    columns, of rows and channels, of rows and columns. Each psi is a convolution from two channels to one, normalised.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C); no weight depends on it.
    - ``kernel``: size of the convolutions along every axis, odd (the paper's k).
    - ``rank``: number of spatial axes: 1, 2 or 3; there is a gate for each, and that of the pixels.
    - ``spatial``: whether the gate of the pixels is there.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).

    **Raises** `SpecError` if there is no channel, for an even kernel, another rank, or a momentum outside of 0 to 1.

    **Departures**: none from the authors' code, but for rounding: the gates are added, and the image scaled once. Their
    planes are (maximum, mean), here as in `SpatialAttention` (mean, maximum). Fresh weights are PyTorch's own, as in
    their code.
    """

    source: ClassVar[str] = "Misra et al.: Rotate to Attend. WACV 2021, arXiv:2010.03045"
    family: ClassVar[str] = "gates of both"
    words: ClassVar[tuple[str, ...]] = ("triplet", "rotate to attend")

    channels: int
    kernel: int = 7
    _: KW_ONLY
    rank: int = 2
    spatial: bool = True
    momentum: float = 0.01

    def __post_init__(self) -> None:
        require_type(self, channels=int, kernel=int, spatial=bool, momentum=(float, int))
        require_positive(self, "channels")
        require_rank(self)
        require_odd(self)
        require_momentum(self)

    def parts(self) -> dict[str, Part | Block]:
        """Return a normalised convolution for each axis that the channels change places with, and `pixels`."""
        names = [f"axis{axis}" for axis in range(self.rank)] + ["pixels"] * self.spatial
        conv = Conv(2, 1, (self.kernel,) * self.rank, bias=False)
        found: dict[str, Part | Block] = {}
        for name in names:
            found |= convolution(name, conv, self.momentum)
        return found

    def flat(self) -> tuple[str, ...]:
        """Name the norms, which would make any convolution wide again."""
        return tuple(name for name in self.parts() if name.endswith("norm"))

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gates: `axis0`, an image of length 1 along the first axis, ..., and `pixels`, of one channel."""
        turned = {f"axis{axis}": self.turned(f, p, x, axis) for axis in range(self.rank)}
        return turned | ({"pixels": self.gate(f, p, "pixels", x)} if self.spatial else {})

    def turned(self, f: Primitives[T], p: Parts, x: T, axis: int) -> T:
        """Compute the gate for which the channels change places with an axis."""
        return f.exchange(self.gate(f, p, f"axis{axis}", f.exchange(x, axis)), axis)

    def gate(self, f: Primitives[T], p: Parts, name: str, x: T) -> T:
        """Compute sigma(psi) of an image turned so that its channels are what psi pools over."""
        return f.sigmoid(convolve(p, name, pooled_channels(f, x)))

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the mean of the gates times x."""
        gates = self.gates(f, p, x).values()
        return f.multiply(x, f.linear(reduce(f.add, gates), 1 / len(gates)))
