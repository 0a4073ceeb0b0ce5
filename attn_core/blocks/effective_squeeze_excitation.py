"""Lee and Park: CenterMask: Real-Time Anchor-Free Instance Segmentation. CVPR 2020, arXiv:1911.06667."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Part, Parts, require_choice, require_positive, require_type
from attn_core.spec.parts import Dense
from attn_core.spec.primitives import GATES, Gate, Primitives, pointwise

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class EffectiveSqueezeExcitation(Block):
    r"""Scale each channel by a gate that one dense layer computes from the spatial means of all channels.

    **In short**: x * sigma(W mean(x) + b)

    .. math::
        z = \frac{1}{HW} \sum_{i,j} x_{ij}, \qquad
        s = \sigma(W z + b), \qquad
        \tilde{x} = s \odot x
        \qquad \text{(eSE, in the section on VoVNetV2)}

    Squeeze-and-excitation without its hidden layer: no channel is lost on the way.

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``bias``: whether the dense layer has a bias.
    - ``gate``: the paper's sigma: "hard_sigmoid" or "sigmoid".

    **Raises** `SpecError` if there is no channel or a field has a value that is not listed here.

    **Departures**: the paper calls sigma a sigmoid and writes no bias; the authors' code and timm's have the hard
    sigmoid, relu6(x + 3) / 6, and a bias, and so do we by default. Fresh weights are as the authors' class leaves them,
    to PyTorch's `nn.Conv2d`: weights and biases uniform up to 1 / sqrt(channels); VoVNet itself then draws the weights
    of all its convolutions anew, normal with std sqrt(2 / channels).
    """

    source: ClassVar[str] = "Lee and Park: CenterMask. CVPR 2020, arXiv:1911.06667"
    family: ClassVar[str] = "gates of channels"
    words: ClassVar[tuple[str, ...]] = ("eSE", "VoVNet")

    channels: int
    _: KW_ONLY
    bias: bool = True
    gate: Gate = "hard_sigmoid"

    def __post_init__(self) -> None:
        require_type(self, channels=int, bias=bool, gate=str)
        require_positive(self, "channels")
        require_choice(self, "gate", GATES)

    def parts(self) -> dict[str, Part | Block]:
        """Return the dense layer."""
        return {"dense": Dense(self.channels, self.channels, bias=self.bias)}

    def flat(self) -> tuple[str, ...]:
        """Name the dense layer."""
        return ("dense",)

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate s as `channel`, a vector (batch, channels)."""
        return {"channel": pointwise(f, self.gate)(p.dense(f.global_mean(x)))}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute s * x."""
        return f.scale(x, self.gates(f, p, x)["channel"])
