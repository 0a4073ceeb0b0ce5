"""Woo, Park, Lee, Kweon: CBAM: Convolutional Block Attention Module. ECCV 2018, arXiv:1807.06521. Its channel half."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, TypeVar, get_args

from attn_core.blocks.bottleneck import Bottleneck
from attn_core.spec import Parts, require_choice, require_type
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

Pools = Literal["mean", "max", "both"]
POOLS: tuple[str, ...] = get_args(Pools)


@dataclass(frozen=True, repr=False)
class ChannelAttention(Bottleneck):
    r"""Scale each channel by a gate that one perceptron computes from the spatial means and from the maxima.

    **In short**: x * sigmoid(W1 relu(W0 mean(x)) + W1 relu(W0 max(x)))

    .. math::
        M_c(F) = \sigma(W_1 \, \mathrm{relu}(W_0 F^c_{avg}) + W_1 \, \mathrm{relu}(W_0 F^c_{max})), \qquad
        F' = M_c(F) \otimes F
        \qquad \text{(equations 2 and 1 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: the hidden layer has ``channels // reduction`` units (the paper's r); left out, it is
      16 or, of fewer channels, their number.
    - ``hidden``: number of hidden units, in place of ``channels // reduction``; ``reduction`` is then without effect.
    - ``bias``: whether both layers have a bias; with "both" pools, that of the second counts twice.
    - ``pools``: what the perceptron sees: "mean", "max" or "both", which adds its two answers.

    **Raises** `SpecError` if there is no hidden unit or a field has a value that is not listed here.

    **Departures**: none in the formula. The authors' code has biases, the paper's equation has none; ``bias=False`` is
    the default. Fresh weights and biases
    are PyTorch's own, uniform up to 1 / sqrt(fan_in), as in the CBAM article and the authors' module.
    """

    source: ClassVar[str] = "Woo et al.: CBAM: Convolutional Block Attention Module. ECCV 2018, arXiv:1807.06521"
    family: ClassVar[str] = "gates of channels"
    words: ClassVar[tuple[str, ...]] = ("CAM", "CA")

    _: KW_ONLY
    bias: bool = False
    pools: Pools = "both"

    def __post_init__(self) -> None:
        require_type(self, pools=str)
        super().__post_init__()
        require_choice(self, "pools", POOLS)

    def perceptron(self, f: Primitives[T], p: Parts, z: T) -> T:
        """Compute W_1 relu(W_0 z) of a vector."""
        hidden: T = f.relu(p.reduce(z))
        logits: T = p.expand(hidden)
        return logits

    def flat(self) -> tuple[str, ...]:
        """Name the last layer."""
        return ("expand",)

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate M_c as `channel`, a vector (batch, channels)."""
        if self.pools == "mean":
            logits = self.perceptron(f, p, f.global_mean(x))
        elif self.pools == "max":
            logits = self.perceptron(f, p, f.global_max(x))
        else:
            logits = f.add(self.perceptron(f, p, f.global_mean(x)), self.perceptron(f, p, f.global_max(x)))
        return {"channel": f.sigmoid(logits)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute M_c(F) * F."""
        return f.scale(x, self.gates(f, p, x)["channel"])
