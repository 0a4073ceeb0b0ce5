"""Jaderberg et al.: Spatial Transformer Networks. NeurIPS 2015, arXiv:1506.02025. Its sampler."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Parts, require, require_choice, require_rank, require_type
from attn_core.spec.primitives import PADDINGS, Border, Primitives

T = TypeVar("T")

Size = int | tuple[int | None, ...] | None


@dataclass(frozen=True, repr=False)
class AffineSampler(Block):
    r"""Sample an image at the points to which one matrix for each sample takes the pixels of the output.

    **In short**: x sampled at the points theta @ (x, y, ..., 1)

    .. math::
        \begin{pmatrix} x_i^s \\ y_i^s \end{pmatrix} = A_\theta \begin{pmatrix} x_i^t \\ y_i^t \\ 1 \end{pmatrix},
        \qquad
        V_i^c = \sum_n \sum_m U_{nm}^c \, \max(0, 1 - |x_i^s - m|) \, \max(0, 1 - |y_i^s - n|)
        \qquad \text{(equations 1 and 5 of the paper)}

    In the first equation coordinates run over [-1, 1], in the second they count the pixels of U, from 0.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes, and theta (batch, rank, rank + 1), to
    (batch, channels, \*size). In any layout of the image, theta's rows and columns are x, y, ...: the last spatial axis
    (the width) comes first.

    **Fields**

    - ``size``: the output's size: one number for each spatial axis, or one for all; None keeps the image's.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``align_corners``: whether -1 and 1 are the centres of the outermost pixels, or their outer edges.
    - ``padding``: what is outside of the image: "zeros", or its nearest "border" pixel.

    **In PyTorch**: the kernel of `grid_sample` has no derivative in forward mode (`torch.func.jvp`,
    `torch.func.hessian`); gradients, and gradients of gradients, are there.

    **Raises** `SpecError` for a size that is not positive or not one of ``rank`` axes, another rank or padding.

    **Departures**: none from the equations, in which there are zeros outside. The paper does not say where in their
    pixels -1 and 1 are. The first ports to PyTorch, with a C sampler for the layouts BHWD and BCHW, have the corners
    aligned, zeros outside, and points as (y, x): for them, swap the first two columns of theta, and its rows.
    """

    source: ClassVar[str] = "Jaderberg et al.: Spatial Transformer Networks. NeurIPS 2015, arXiv:1506.02025"
    family: ClassVar[str] = "pooling and sampling"
    words: ClassVar[tuple[str, ...]] = ("affine grid",)
    inputs: ClassVar[tuple[str, ...]] = ("input", "theta")

    size: Size = None
    _: KW_ONLY
    rank: int = 2
    align_corners: bool = False
    padding: Border = "zeros"

    def __post_init__(self) -> None:
        hold_size(self)
        require_type(self, align_corners=bool, padding=str)
        require_rank(self)
        require_choice(self, "padding", PADDINGS)
        rule = f"size must hold a positive number, or None, for each of the {self.rank} spatial axes."
        require(len(self.sizes) == self.rank and all(map(_is_size, self.sizes)), f"{self!r}: {rule}")

    @property
    def sizes(self) -> tuple[int | None, ...]:
        """Size of the output along each axis, None where it is the image's."""
        return self.size if isinstance(self.size, tuple) else (self.size,) * self.rank

    def example(self) -> tuple[tuple[int, ...], ...]:
        """Return canonical shapes of an image and a theta."""
        return (1, 64, *(32,) * self.rank), (1, self.rank, self.rank + 1)

    def forward(self, f: Primitives[T], p: Parts, x: T, theta: T) -> T:
        """Compute V."""
        grid = f.affine_grid(theta, self.sizes, self.align_corners, x)
        return f.sample(x, grid, self.padding, self.align_corners)


def hold_size(block: Block) -> None:
    """Hold a block's size as a tuple where it comes as a list, which is what files have."""
    size = getattr(block, "size")  # noqa: B009 (some blocks have it)
    if isinstance(size, list):
        object.__setattr__(block, "size", tuple(size))
    require_type(block, size=(int, tuple, type(None)))


def _is_size(size: object) -> bool:
    return size is None or (isinstance(size, int) and not isinstance(size, bool) and size >= 1)
