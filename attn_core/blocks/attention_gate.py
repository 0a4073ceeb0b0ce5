"""Oktay et al.: Attention U-Net: Learning Where to Look for the Pancreas. MIDL 2018, arXiv:1804.03999."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar, cast

from attn_core.blocks.convolution import convolution, convolve
from attn_core.spec import Block, Part, Parts, complete, require_momentum, require_positive, require_rank, require_type
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class AttentionGate(Block):
    r"""Scale each pixel of the features by a gate computed from it and from the same pixel of a gating signal.

    **In short**: x * sigmoid(norm(psi relu(norm(W_x x) + norm(W_g g))))

    .. math::
        q = \psi^\top \delta(W_x x_i + W_g g_i + b_g) + b_\psi, \qquad
        \alpha_i = \operatorname{sigmoid}(q), \qquad
        \hat x_i = \alpha_i \, x_i
        \qquad \text{(equations 1 and 2)}

    delta is a relu. In a U-Net, x are the features of a skip connection and g is what comes from below, brought to
    their size.

    **Shape**: image x (batch, channels, \*space) and image g (batch, gating, \*space), both of ``rank`` spatial axes
    and of the same size, to the shape of x. An axis along which one of the two has one pixel is repeated.

    **Fields**

    - ``channels``: number of channels of x (the paper's F_l).
    - ``gating``: number of channels of g (the paper's F_g).
    - ``hidden``: number of channels in which they are added (the paper's F_int); None becomes, when the block is made,
      half of the channels of x, one at least.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).

    **Raises** `SpecError` if there is no channel, for another rank, or a momentum outside of 0 to 1.

    **Departures**: the paper's W_x has a stride, and the gate is resized to x: its authors' code, grid attention, is
    another block. Here x and g have one size, and each of the three convolutions, all of one pixel and with biases, is
    normalised over the batch, as in LeeJunHyun's code and MONAI's, which most networks have. Both call it with g first,
    ``gate(g, x)``; here the features come first, as everywhere. Fresh weights and biases are PyTorch's own, as the
    class of LeeJunHyun leaves them.
    """

    source: ClassVar[str] = "Oktay et al.: Attention U-Net. MIDL 2018, arXiv:1804.03999"
    family: ClassVar[str] = "gates of pixels"
    words: ClassVar[tuple[str, ...]] = ("Attention U-Net", "Attention_block", "AG")
    inputs: ClassVar[tuple[str, ...]] = ("input", "signal")
    images: ClassVar[int] = 2

    channels: int
    gating: int
    hidden: int | None = None
    _: KW_ONLY
    rank: int = 2
    momentum: float = 0.1

    def __post_init__(self) -> None:
        require_type(self, channels=int, gating=int, hidden=(int, type(None)), momentum=(float, int))
        require_positive(self, "channels", "gating")
        require_rank(self)
        require_momentum(self)
        complete(self, hidden=max(self.channels // 2, 1))
        require_positive(self, "hidden")

    def parts(self) -> dict[str, Part | Block]:
        """Return W_x as `features`, W_g as `signal` and psi as `map`, each with its norm."""
        point, hidden = (1,) * self.rank, cast(int, self.hidden)
        return {
            **convolution("features", Conv(self.channels, hidden, point), self.momentum),
            **convolution("signal", Conv(self.gating, hidden, point), self.momentum),
            **convolution("map", Conv(hidden, 1, point), self.momentum),
        }

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return canonical shapes of features and a gating signal."""
        return (1, self.channels, *(32,) * self.rank), (1, self.gating, *(32,) * self.rank)

    def gates(self, f: Primitives[T], p: Parts, x: T, signal: T) -> dict[str, T]:
        """Compute alpha as `spatial`, an image of one channel."""
        both = f.relu(f.add(convolve(p, "features", x), convolve(p, "signal", signal)))
        return {"spatial": f.sigmoid(convolve(p, "map", both))}

    def forward(self, f: Primitives[T], p: Parts, x: T, signal: T) -> T:
        """Compute alpha * x."""
        return f.multiply(x, self.gates(f, p, x, signal)["spatial"])
