"""Woo, Park, Lee, Kweon: CBAM: Convolutional Block Attention Module. ECCV 2018, arXiv:1807.06521. Its spatial half."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Part, Parts, require_momentum, require_odd, require_rank, require_type
from attn_core.spec.parts import BatchNorm, Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class SpatialAttention(Block):
    r"""Scale each pixel by a gate that a convolution computes from the channels' mean and maximum around it.

    **In short**: x * sigmoid(conv([mean of channels, max of channels]))

    .. math::
        M_s(F) = \sigma(f^{7 \times 7}([F^s_{avg}; F^s_{max}])), \qquad
        F' = M_s(F) \otimes F
        \qquad \text{(equations 3 and 1 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape; any number of channels, any
    size, also smaller than the kernel.

    **Fields**

    - ``kernel``: length of the convolution's kernel along each axis, odd (the paper's 7).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the convolution has a bias.
    - ``norm``: whether batch normalisation follows the convolution, as in the authors' code.
    - ``momentum``: of the normalisation's running statistics, in PyTorch's sense (the authors' 0.01).

    **Raises** `SpecError` for an even kernel, another rank, or a momentum outside of 0 to 1.

    **Departures**: none in the formula. The planes are (mean, maximum), as in the paper; the authors' code has them the
    other way round, so its kernels must be swapped (`weight[:, ::-1]`). The authors' code also normalises after the
    convolution, of which the paper does not speak: ``norm=True``. Fresh weights and biases are
    PyTorch's own, uniform up to 1 / sqrt(fan_in), as in the CBAM article and the authors' module.
    """

    source: ClassVar[str] = "Woo et al.: CBAM: Convolutional Block Attention Module. ECCV 2018, arXiv:1807.06521"
    family: ClassVar[str] = "gates of pixels"
    words: ClassVar[tuple[str, ...]] = ("SAM",)

    kernel: int = 7
    _: KW_ONLY
    rank: int = 2
    bias: bool = False
    norm: bool = False
    momentum: float = 0.01

    def __post_init__(self) -> None:
        require_type(self, kernel=int, bias=bool, norm=bool, momentum=(float, int))
        require_rank(self)
        require_odd(self)
        require_momentum(self)

    def overruled(self) -> tuple[str, ...]:
        """Name `momentum` where nothing is normalised."""
        return () if self.norm else ("momentum",)

    def parts(self) -> dict[str, Part | Block]:
        """Return the convolution and, if there is one, the normalisation."""
        conv = Conv(2, 1, (self.kernel,) * self.rank, bias=self.bias)
        return {"conv": conv, "norm": BatchNorm(1, self.rank, momentum=self.momentum)} if self.norm else {"conv": conv}

    def flat(self) -> tuple[str, ...]:
        """Name the normalisation, which would make any convolution wide again, or the convolution."""
        return ("norm",) if self.norm else ("conv",)

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate M_s as `spatial`, an image of one channel."""
        logits = p.conv(pooled_channels(f, x))
        return {"spatial": f.sigmoid(p.norm(logits) if self.norm else logits)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute M_s(F) * F."""
        return f.multiply(x, self.gates(f, p, x)["spatial"])


def pooled_channels(f: Primitives[T], x: T) -> T:
    """Compute mean and maximum over the channels: an image of two channels."""
    return f.concat([f.channel_mean(x), f.channel_max(x)])
