"""Wang et al.: ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks.

CVPR 2020, arXiv:1910.03151.
"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, TypeVar, cast, get_args

import numpy as np

from attn_core.spec import Block, Part, Parts, complete, require_choice, require_odd, require_positive, require_type
from attn_core.spec.initializers import Uniform
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

Border = Literal["zeros", "circular"]
BORDERS: tuple[str, ...] = get_args(Border)

GAMMA, B = 2, 1  # as in all of the paper's experiments


@dataclass(frozen=True, repr=False)
class EfficientChannelAttention(Block):
    r"""Scale each channel by a gate computed from the spatial means of it and its neighbouring channels.

    **In short**: x * sigmoid(conv(mean(x))), along the channels

    .. math::
        y = \frac{1}{HW} \sum_{i,j} x_{ij}, \qquad
        \omega_c = \sigma \Big( \sum_{j=1}^k w_j \, y_{c + j - (k + 1) / 2} \Big), \qquad
        \tilde{x} = \omega \odot x
        \qquad \text{(section 3.2 of the paper)}

    y is 0 beyond the first and the last channel. Unless it is given, k is the odd number nearest to
    :math:`(\log_2 C + b) / \gamma` with :math:`\gamma = 2` and :math:`b = 1`, the larger of two.

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C), which says k where ``kernel`` does not.
    - ``kernel``: length of the convolution along the channels, odd (the paper's k); None becomes the number of the
      paper's rule when the block is made.
    - ``border``: what is beyond the first and the last channel: "zeros", or, "circular", the channels of the other end.
    - ``hidden``: how many numbers a first layer makes of each channel's mean, before a relu; None: there is no such
      layer.
    - ``bias``: whether the convolution, and the first layer if there is one, have biases.

    **Raises** `SpecError` if there is no channel, for a kernel that is even or below 1, another border, or no hidden
    number.

    **Departures**: none. The class in the authors' repository has k = 3 unless told otherwise; timm's has that of the
    rule, but 3 at least. timm's `CecaModule` is ``border="circular"``, its ``use_mlp`` ``hidden`` with biases, and the
    class of xmu has a bias. Fresh weights are as the authors' class leaves them, to PyTorch's `nn.Conv1d`: uniform
    between -1 / sqrt(k) and 1 / sqrt(k), as its documentation says.
    """

    source: ClassVar[str] = "Wang et al.: ECA-Net. CVPR 2020, arXiv:1910.03151"
    family: ClassVar[str] = "gates of channels"
    words: ClassVar[tuple[str, ...]] = ("ECA", "ECA-Net", "eca layer")

    channels: int
    kernel: int | None = None
    _: KW_ONLY
    border: Border = "zeros"
    hidden: int | None = None
    bias: bool = False

    def __post_init__(self) -> None:
        require_type(self, channels=int, kernel=(int, type(None)), border=str, hidden=(int, type(None)), bias=bool)
        require_positive(self, "channels")
        complete(self, kernel=adaptive_kernel(self.channels))
        require_positive(self, "kernel")
        require_odd(self)
        require_choice(self, "border", BORDERS)
        if self.hidden is not None:
            require_positive(self, "hidden")

    @property
    def _kernel(self) -> int:
        return cast(int, self.kernel)

    def parts(self) -> dict[str, Part | Block]:
        """Return the convolution of a line of channels and, with hidden numbers, the layer `spread` before it."""
        padding = "valid" if self.border == "circular" else "symmetric"
        if self.hidden is None:
            law = Uniform(1 / math.sqrt(self._kernel))
            return {"conv": Conv(1, 1, (self._kernel,), padding=padding, bias=self.bias, law=law)}
        spread = Conv(1, self.hidden, (1,), bias=self.bias)
        return {"spread": spread, "conv": Conv(self.hidden, 1, (self._kernel,), padding=padding, bias=self.bias)}

    def flat(self) -> tuple[str, ...]:
        """Name the convolution."""
        return ("conv",)

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate omega as `channel`, a vector (batch, channels)."""
        line = f.channels_to_depth(self.bordered(f, f.global_mean(x)))
        line = line if self.hidden is None else f.relu(p.spread(line))
        return {"channel": f.sigmoid(f.depth_to_channels(p.conv(line)))}

    def bordered(self, f: Primitives[T], means: T) -> T:
        """Add to a vector, at both ends, what stands at the other, or nothing for zeros, which the convolution adds."""
        if self.border == "zeros":
            return means
        reach = self._kernel // 2
        places = np.arange(-reach, self.channels + reach) % self.channels
        return f.einsum("bnc->bc", f.take(f.matrices(means, 1), places[None]))

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute omega * x."""
        return f.scale(x, self.gates(f, p, x)["channel"])


def adaptive_kernel(channels: int) -> int:
    """Return the paper's k for so many channels."""
    return int((math.log2(channels) + B) / GAMMA) | 1  # an even number becomes the odd one above
