"""Oktay et al.: Attention U-Net: Learning Where to Look for the Pancreas. MIDL 2018, arXiv:1804.03999."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar, cast

from attn_core.blocks.convolution import convolution, convolve
from attn_core.spec import Block, Part, Parts, complete, require_momentum, require_positive, require_rank, require_type
from attn_core.spec.initializers import FAN_IN
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
    their size. With a ``grid``, W_x makes one pixel of each ``grid`` x ... x ``grid`` pixels of x, W_g g is resized to
    those, alpha to x, and a convolution and a norm follow: norm(W (alpha x)).

    **Shape**: image x (batch, channels, \*space) and image g (batch, gating, \*space), both of ``rank`` spatial axes
    and of the same size, to the shape of x. An axis along which one of the two has one pixel is repeated. With a
    ``grid``, g may have any size, and x at least ``grid`` pixels along each axis.

    **Fields**

    - ``channels``: number of channels of x (the paper's F_l).
    - ``gating``: number of channels of g (the paper's F_g).
    - ``hidden``: number of channels in which they are added (the paper's F_int); None becomes, when the block is made,
      half of the channels of x, one at least.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``momentum``: of the normalisations' running statistics (PyTorch's).
    - ``grid``: how many pixels of x along each axis have one gate, which is interpolated between (the authors'
      ``sub_sample_factor``); None for gates that are each computed.
    - ``align_corners``: whether interpolation, with a ``grid``, aligns the outermost pixels' centres or their edges.

    **Raises** `SpecError` if there is no channel, for another rank, a grid below 1, or a momentum outside of 0 to 1.

    **Departures**: the paper's W_x has a stride, and the gate is resized to x: grid attention, the authors' code, is
    ``grid=2``. By default x and g have one size, and each of the three convolutions, all of one pixel and with biases,
    is normalised over the batch, as in LeeJunHyun's code and MONAI's, which most networks have. Both call it with g
    first, ``gate(g, x)``; here the features come first, as everywhere. The authors' code was written for a PyTorch that
    aligned corners (0.3; ``align_corners=True``), and does not where it is run today; nor do we by default. On their
    recorded images, whose largest result is 3.0, the two are up to 0.4 apart. Their class also returns the gate.
    Fresh weights and biases are PyTorch's own, as the class of LeeJunHyun leaves them; with a grid, weights are normal
    with std sqrt(2 / fan_in), as the authors' code has them. Their norm starts near 1, here at 1.
    """

    source: ClassVar[str] = "Oktay et al.: Attention U-Net. MIDL 2018, arXiv:1804.03999"
    family: ClassVar[str] = "gates of pixels"
    words: ClassVar[tuple[str, ...]] = ("Attention U-Net", "Attention_block", "AG", "GridAttentionBlock")
    inputs: ClassVar[tuple[str, ...]] = ("input", "signal")
    images: ClassVar[int] = 2

    channels: int
    gating: int
    hidden: int | None = None
    _: KW_ONLY
    rank: int = 2
    momentum: float = 0.1
    grid: int | None = None
    align_corners: bool = False

    def __post_init__(self) -> None:
        require_type(self, channels=int, gating=int, hidden=(int, type(None)), momentum=(float, int))
        require_type(self, grid=(int, type(None)), align_corners=bool)
        require_positive(self, "channels", "gating")
        require_rank(self)
        require_momentum(self)
        complete(self, hidden=max(self.channels // 2, 1))
        require_positive(self, "hidden", *(["grid"] if self.grid is not None else []))

    def overruled(self) -> tuple[str, ...]:
        """Name `align_corners` where nothing is resized."""
        return ("align_corners",) if self.grid is None else ()

    def parts(self) -> dict[str, Part | Block]:
        """Return W_x as `features`, W_g as `signal` and psi as `map`, each with its norm; of a grid, W as `project`."""
        point, hidden = (1,) * self.rank, cast(int, self.hidden)
        if self.grid is None:
            layers = {"features": Conv(self.channels, hidden, point)}
            layers |= {"signal": Conv(self.gating, hidden, point), "map": Conv(hidden, 1, point)}
            normed = (convolution(name, conv, self.momentum) for name, conv in layers.items())
            return {name: part for parts in normed for name, part in parts.items()}
        step = (self.grid,) * self.rank
        return {
            "features": Conv(self.channels, hidden, step, stride=self.grid, padding="valid", bias=False, start=FAN_IN),
            "signal": Conv(self.gating, hidden, point, start=FAN_IN),
            "map": Conv(hidden, 1, point, start=FAN_IN),
            **convolution("project", Conv(self.channels, self.channels, point, start=FAN_IN), self.momentum),
        }

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return canonical shapes of features and a gating signal."""
        coarse = 32 // (self.grid or 1) or 1
        return (1, self.channels, *(32,) * self.rank), (1, self.gating, *(coarse,) * self.rank)

    def gates(self, f: Primitives[T], p: Parts, x: T, signal: T) -> dict[str, T]:
        """Compute alpha as `spatial`, an image of one channel."""
        normed = self.grid is None
        features, other = convolve(p, "features", x, normed), convolve(p, "signal", signal, normed)
        both = f.relu(f.add(features, other if normed else f.resize(other, features, self.align_corners)))
        alpha = f.sigmoid(convolve(p, "map", both, normed))
        return {"spatial": alpha if normed else f.resize(alpha, x, self.align_corners)}

    def forward(self, f: Primitives[T], p: Parts, x: T, signal: T) -> T:
        """Compute alpha * x or, with a grid, norm(W (alpha * x))."""
        scaled = f.multiply(x, self.gates(f, p, x, signal)["spatial"])
        return scaled if self.grid is None else convolve(p, "project", scaled)
