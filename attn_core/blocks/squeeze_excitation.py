"""Hu, Shen, Sun: Squeeze-and-Excitation Networks. CVPR 2018, arXiv:1709.01507."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.blocks.bottleneck import Bottleneck
from attn_core.spec import Parts, require_choice, require_type
from attn_core.spec.initializers import TENSORFLOW, Start
from attn_core.spec.primitives import ACTIVATIONS, GATES, Primitives, pointwise

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class SqueezeExcitation(Bottleneck):
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
    - ``activation``: the paper's delta: "relu", "silu" (EfficientNet), "gelu" or "hard_swish".
    - ``gate``: the paper's sigma: "sigmoid" or "hard_sigmoid" (MobileNetV3).

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
    )

    _: KW_ONLY
    activation: str = "relu"
    gate: str = "sigmoid"

    def __post_init__(self) -> None:
        require_type(self, activation=str, gate=str)
        super().__post_init__()
        require_choice(self, "activation", ACTIVATIONS)
        require_choice(self, "gate", GATES)

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate s as `channel`, a vector (batch, channels)."""
        hidden = pointwise(f, self.activation)(p.reduce(f.global_mean(x)))
        return {"channel": pointwise(f, self.gate)(p.expand(hidden))}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute s * x."""
        return f.scale(x, self.gates(f, p, x)["channel"])
