"""Bochkovskiy, Wang, Liao: YOLOv4: Optimal Speed and Accuracy of Object Detection. 2020, arXiv:2004.10934."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Part, Parts, require_positive, require_rank, require_type
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class PointwiseGate(Block):
    r"""Scale every number of an image by a gate that a pointwise convolution computes from its pixel.

    **In short**: x * sigmoid(W x + b), at each pixel

    .. math::
        s_i = \sigma(W x_i + b), \qquad y_i = s_i \odot x_i
        \qquad \text{for each pixel } i \text{ (figure 5b of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the convolution has a bias.
    - ``shared``: whether all channels of a pixel share one gate: the spatial half of scSE, called sSE.

    **Raises** `SpecError` if there is no channel, or for another rank.

    **Departures**: the paper draws this module and calls it modified SAM, but writes no formula: the convolution's size
    and bias are what implementations have. It is not CBAM's SAM (`SpatialAttention`): nothing is pooled, and each
    channel has a gate of its own. With ``shared`` it is the spatial half of scSE (Roy et al., arXiv:1803.02579), as in
    their code. Fresh weights and biases are PyTorch's own, as in the TensorFlow article, whose class is for PyTorch,
    and in the code of scSE: uniform up to 1 / sqrt(channels).
    """

    source: ClassVar[str] = "Bochkovskiy, Wang, Liao: YOLOv4. 2020, arXiv:2004.10934"
    family: ClassVar[str] = "gates of pixels"
    words: ClassVar[tuple[str, ...]] = ("SAM of YOLOv4", "modified SAM", "sSE")

    channels: int
    _: KW_ONLY
    rank: int = 2
    bias: bool = True
    shared: bool = False

    def __post_init__(self) -> None:
        require_type(self, channels=int, bias=bool, shared=bool)
        require_rank(self)
        require_positive(self, "channels")

    def parts(self) -> dict[str, Part | Block]:
        """Return the convolution."""
        gates = 1 if self.shared else self.channels
        return {"conv": Conv(self.channels, gates, (1,) * self.rank, bias=self.bias)}

    def flat(self) -> tuple[str, ...]:
        """Name the convolution."""
        return ("conv",)

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate s as `spatial`, an image with as many channels as x, or one that they share."""
        return {"spatial": f.sigmoid(p.conv(x))}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute s * x."""
        return f.multiply(x, self.gates(f, p, x)["spatial"])
