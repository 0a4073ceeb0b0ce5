"""Yang et al.: SimAM: A Simple, Parameter-Free Attention Module for Convolutional Neural Networks. ICML 2021."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Part, Parts, require, require_positive, require_type
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class SimAM(Block):
    r"""Scale each number by a gate that grows with its distance from the mean of its channel; there are no weights.

    **In short**: x * sigmoid((x - mean)^2 / 4 (variance + eps) + 1/2)

    .. math::
        \mu = \frac{1}{M} \sum_i x_i, \qquad
        \sigma^2 = \frac{1}{M - 1} \sum_i (x_i - \mu)^2, \qquad
        \frac{1}{e^*} = \frac{(x - \mu)^2}{4 (\sigma^2 + \lambda)} + \frac{1}{2}, \qquad
        \tilde{x} = \operatorname{sigmoid}\left(\frac{1}{e^*}\right) \odot x
        \qquad \text{(equations 5 and 6)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C); it changes nothing, but every layer here knows its own.
    - ``eps``: added to the variance (the paper's lambda).

    **Raises** `SpecError` if there is no channel, or unless eps is above 0.

    **Departures**: the paper divides the variance by the number M of pixels, the authors' code by M - 1, and so do we.
    An image of one pixel, of which their code makes NaN, has the variance 0 here: its gate is sigmoid(1/2).
    """

    source: ClassVar[str] = "Yang et al.: SimAM. ICML 2021"
    family: ClassVar[str] = "gates of pixels"

    channels: int
    _: KW_ONLY
    eps: float = 1e-4

    def __post_init__(self) -> None:
        require_type(self, channels=int, eps=(float, int))
        require_positive(self, "channels")
        require(self.eps > 0, f"{self!r}: eps must be above 0.")

    def parts(self) -> dict[str, Part | Block]:
        """Return none."""
        return {}

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate of every number as `spatial`, an image of all channels."""
        distance = f.standardise(x, self.eps)
        return {"spatial": f.sigmoid(f.linear(f.multiply(distance, distance), 1 / 4, 1 / 2))}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the gate times x."""
        return f.multiply(x, self.gates(f, p, x)["spatial"])
