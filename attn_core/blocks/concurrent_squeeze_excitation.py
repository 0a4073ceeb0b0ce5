"""Roy et al.: Concurrent Spatial and Channel Squeeze & Excitation in Fully Convolutional Networks.

MICCAI 2018, arXiv:1803.02579.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, TypeVar, get_args

from attn_core.blocks.excitation import Excitation
from attn_core.spec import Block, Part, Parts, require_choice, require_rank, require_type
from attn_core.spec.initializers import TORCH, Start
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import Gate, Primitives

T = TypeVar("T")

Joined = Literal["maximum", "sum"]
JOINED: tuple[str, ...] = get_args(Joined)


@dataclass(frozen=True, repr=False)
class ConcurrentSqueezeExcitation(Excitation):
    r"""Scale an image by a gate of each channel and by a gate of each pixel, and join the two: scSE.

    **In short**: max(x * sigma(W2 delta(W1 mean(x) + b1) + b2), x * sigmoid(w x + b))

    .. math::
        U_{cSE} = \sigma(W_2 \, \delta(W_1 z + b_1) + b_2) \odot x, \qquad
        U_{sSE} = \operatorname{sigmoid}(w \cdot x_{ij} + b) \, x_{ij}, \qquad
        U_{scSE} = \max(U_{cSE}, U_{sSE})
        \qquad \text{(section 2; z are the means, as in squeeze-and-excitation)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``, ``hidden``, ``activation``: those of `SqueezeExcitation`; half as many units by default.
    - ``gate``: "sigmoid" or "hard_sigmoid", of the channels.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``bias``: whether the dense layers and the convolution have biases.
    - ``joined``: "maximum", elementwise, or "sum".

    **Raises** `SpecError` if there is no hidden unit or a field has a value that is not listed here.

    **Departures**: the paper (MICCAI) adds the two images, and so does segmentation_models_pytorch, where the hidden
    layer has a sixteenth of the units: ``reduction=16, joined="sum"``. The authors' code takes the larger of the two,
    which their later paper (arXiv:1808.08127) calls max-out, and so do we by default. On their recorded image, whose
    largest result is 3.7, the two are up to 4.2 apart. Where both are equal, as after a relu, which makes zeros, each
    has half of the derivative. The halves alone are ``SqueezeExcitation(channels, 2)`` and
    ``PointwiseGate(channels, shared=True)``. The paper's equations have no biases, the authors' code has them. Fresh
    weights and biases are PyTorch's own, as in the authors' code.
    """

    usual: ClassVar[int] = 2
    start: ClassVar[Start] = TORCH
    source: ClassVar[str] = "Roy et al.: Concurrent Squeeze & Excitation. MICCAI 2018, arXiv:1803.02579"
    family: ClassVar[str] = "gates of both"
    words: ClassVar[tuple[str, ...]] = ("scSE", "csSE", "SCSEModule")

    _: KW_ONLY
    gate: Gate = "sigmoid"
    rank: int = 2
    joined: Joined = "maximum"

    def __post_init__(self) -> None:
        require_type(self, joined=str)
        require_rank(self)
        super().__post_init__()
        require_choice(self, "joined", JOINED)

    def parts(self) -> dict[str, Part | Block]:
        """Return the two dense layers, and the convolution to one gate for each pixel."""
        return super().parts() | {"conv": Conv(self.channels, 1, (1,) * self.rank, bias=self.bias)}

    def flat(self) -> tuple[str, ...]:
        """Name the last layer of both gates."""
        return (*super().flat(), "conv")

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute `channel`, a vector, and `spatial`, an image of one channel."""
        return super().gates(f, p, x) | {"spatial": f.sigmoid(p.conv(x))}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the larger of the two scaled images, or their sum."""
        gates = self.gates(f, p, x)
        both = f.scale(x, gates["channel"]), f.multiply(x, gates["spatial"])
        return f.maximum(*both) if self.joined == "maximum" else f.add(*both)
