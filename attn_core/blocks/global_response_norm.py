"""Woo et al.: ConvNeXt V2: Co-designing and Scaling ConvNets with Masked Autoencoders.

CVPR 2023, arXiv:2301.00808.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Part, Parts, require, require_positive, require_type
from attn_core.spec.parts import ZERO, Affine
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class GlobalResponseNorm(Block):
    r"""Scale each channel by its length as compared with those of the other channels, and add the image.

    **In short**: gamma * x * |x_c| / (mean |x_c| + eps) + beta + x

    .. math::
        G_c = \sqrt{\sum_{i,j} x_{ijc}^2}, \qquad
        N_c = \frac{G_c}{\frac{1}{C} \sum_{d} G_d + \epsilon}, \qquad
        y = \gamma \odot (N \odot x) + \beta + x
        \qquad \text{(algorithm 1 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``eps``: added to the mean of the lengths.

    **Raises** `SpecError` if there is no channel, or unless eps is above 0.

    **Departures**: none from the authors' code, which is the paper's algorithm 1; the formula for N in its text divides
    by the sum of the lengths, where these divide by their mean and eps. The length of a channel of zeros has no
    derivative; it is taken to be 0, as in the authors' code, which calls `torch.norm`. A sample of zeros stays one, but
    for beta. Fresh weights are those of the authors' code: gamma and beta 0, so that the image passes unchanged.
    """

    source: ClassVar[str] = "Woo et al.: ConvNeXt V2. CVPR 2023, arXiv:2301.00808"
    family: ClassVar[str] = "gates of channels"
    words: ClassVar[tuple[str, ...]] = ("GRN", "ConvNeXt V2")

    channels: int
    _: KW_ONLY
    eps: float = 1e-6

    def __post_init__(self) -> None:
        require_type(self, channels=int, eps=(float, int))
        require_positive(self, "channels")
        require(self.eps > 0, f"{self!r}: eps must be above 0.")

    def parts(self) -> dict[str, Part | Block]:
        """Return gamma and beta as `affine`."""
        return {"affine": Affine(self.channels, law=ZERO)}

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute N as `channel`, a vector (batch, channels) of mean 1 but for eps; gamma is yet to come."""
        shares = f.normalise(f.global_length(x), 1, self.channels * self.eps)
        return {"channel": f.linear(shares, self.channels)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute gamma * N * x + beta + x."""
        return f.add(p.affine(f.scale(x, self.gates(f, p, x)["channel"])), x)
