"""Hu, Shen, Sun: Squeeze-and-Excitation Networks. CVPR 2018, arXiv:1709.01507."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar, get_args

from attn_core.blocks.excitation import Excitation
from attn_core.spec import Block, Part, Parts, require_momentum, require_type
from attn_core.spec.initializers import TENSORFLOW, Start
from attn_core.spec.parts import BatchNorm
from attn_core.spec.primitives import GateOrRelu, Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class SqueezeExcitation(Excitation):
    r"""Scale each channel by a gate computed from the spatial means of all channels.

    **In short**: x * sigma(W2 delta(W1 mean(x) + b1) + b2)

    .. math::
        z = \frac{1}{HW} \sum_{i,j} x_{ij}, \qquad
        s = \sigma(W_2 \, \delta(W_1 z + b_1) + b_2), \qquad
        \tilde{x} = s \odot x
        \qquad \text{(equations 2, 3 and 4 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is
      16 or, of fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both dense layers have a bias.
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu", "hard_swish" or "leaky_relu".
    - ``gate``: the paper's sigma: "sigmoid", "hard_sigmoid" (MobileNetV3) or "relu" (MONAI's `ResidualSELayer`).
    - ``norm``: whether hidden units are normalised over the batch before delta (ReXNet), and ``momentum`` of that
      (PyTorch's).
    - ``residual``: whether the image is added to the scaled one (MONAI's `ResidualSELayer`).

    **Raises** `SpecError` if there is no hidden unit or a field has a value that is not listed here.

    **Departures**: the paper's equation 3 has no biases; the authors' Caffe model and the TensorFlow 1 function
    ``se_block`` have them, and so do we by default. Fresh weights follow ``se_block``: truncated normal with std
    sqrt(2.6 / fan_in), biases 0.
    """

    start: ClassVar[Start] = TENSORFLOW
    source: ClassVar[str] = "Hu, Shen, Sun: Squeeze-and-Excitation Networks. CVPR 2018, arXiv:1709.01507"
    family: ClassVar[str] = "gates of channels"
    words: ClassVar[tuple[str, ...]] = (
        *("SE", "SELayer", "SEModule", "SE block", "squeeze and excite", "SENet", "cSE", "Attention_Block"),
        *("ChannelSELayer", "ResidualSELayer", "SEWithNorm"),
    )
    possible: ClassVar[tuple[str, ...]] = get_args(GateOrRelu)

    _: KW_ONLY
    gate: GateOrRelu = "sigmoid"
    norm: bool = False
    momentum: float = 0.1
    residual: bool = False

    def __post_init__(self) -> None:
        require_type(self, norm=bool, momentum=(float, int), residual=bool)
        super().__post_init__()
        require_momentum(self)

    def overruled(self) -> tuple[str, ...]:
        """Name `reduction` where `hidden` stands in its place, and `momentum` where nothing is normalised."""
        return super().overruled() if self.norm else (*super().overruled(), "momentum")

    def parts(self) -> dict[str, Part | Block]:
        """Return W_1 as `reduce`, W_2 as `expand` and, of the hidden units, `reduce_norm`."""
        norm = {"reduce_norm": BatchNorm(self.width, 0, momentum=self.momentum)} if self.norm else {}
        return super().parts() | norm

    def squeeze(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute what delta is taken of, a vector (batch, hidden units)."""
        hidden = super().squeeze(f, p, x)
        return p.reduce_norm(hidden) if self.norm else hidden

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute s * x, or x + s * x."""
        scaled = f.scale(x, self.gates(f, p, x)["channel"])
        return f.add(x, scaled) if self.residual else scaled
