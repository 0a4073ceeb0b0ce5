"""Jaderberg et al.: Spatial Transformer Networks. NeurIPS 2015, arXiv:1506.02025. Its sampler, given the points."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Parts, require_choice, require_rank, require_type
from attn_core.spec.primitives import PADDINGS, Primitives

T = TypeVar("T")

ORDERS = ("xy", "yx")


@dataclass(frozen=True, repr=False)
class GridSampler(Block):
    r"""Sample an image at points that are given, one for each pixel of the output.

    **In short**: x sampled at the points of the grid

    .. math::
        V_i^c = \sum_n \sum_m U_{nm}^c \, \max(0, 1 - |x_i^s - m|) \, \max(0, 1 - |y_i^s - n|)
        \qquad \text{(equation 5 of the paper)}

    Here the coordinates count the pixels of U, from 0; in the grid they run over [-1, 1].

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes, and grid (batch, \*size, rank), to
    (batch, channels, \*size). The grid is the same array for an image of the layout BCHW, which is PyTorch's, and of
    BHWD, which is that of Keras and Flax.

    **Fields**

    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``order``: of a point's coordinates: "xy", that of the last spatial axis (the width) first, as in PyTorch's
      `grid_sample`; or "yx", that of the first spatial axis first.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.

    **In PyTorch**: the kernel of `grid_sample` has no derivative in forward mode (`torch.func.jvp`,
    `torch.func.hessian`); gradients, and gradients of gradients, are there.

    **Raises** `SpecError` for another rank, order or padding.

    **Departures**: none from the equation, in which there are zeros outside. The paper does not say where in their
    pixels -1 and 1 are. The survey's `STN(layout)`, called with image and grid, is
    ``GridSampler(order="yx", align_corners=True)`` in both its layouts; it has no arrays, so it needs no dialect.
    `AffineSampler` makes the grid of a matrix.
    """

    source: ClassVar[str] = "Jaderberg et al.: Spatial Transformer Networks. NeurIPS 2015, arXiv:1506.02025"
    family: ClassVar[str] = "pooling and sampling"
    words: ClassVar[tuple[str, ...]] = ("grid_sample", "bilinear sampler")
    inputs: ClassVar[tuple[str, ...]] = ("input", "grid")

    _: KW_ONLY
    rank: int = 2
    order: str = "xy"
    align_corners: bool = False
    padding: str = "zeros"

    def __post_init__(self) -> None:
        require_type(self, order=str, align_corners=bool, padding=str)
        require_rank(self)
        require_choice(self, "order", ORDERS)
        require_choice(self, "padding", PADDINGS)

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return canonical shapes of an image and a grid."""
        space = (32,) * self.rank
        return (1, 64, *space), (1, *space, self.rank)

    def forward(self, f: Primitives[T], p: Parts, x: T, grid: T) -> T:
        """Compute V."""
        if self.order == "yx" and self.rank > 1:  # points (y, x) of x are points (x, y) of x with its axes exchanged
            for axis in (0, self.rank - 1, 0):
                x = f.exchange(x, axis)
        return f.sample(x, grid, self.padding, self.align_corners)
