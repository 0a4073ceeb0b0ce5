"""Gao et al.: Res2Net: A New Multi-scale Backbone Architecture. TPAMI 2021, arXiv:1904.01169. Its convolutions."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.blocks.convolution import convolution, convolve
from attn_core.spec import (
    Block,
    Part,
    Parts,
    require,
    require_momentum,
    require_odd,
    require_positive,
    require_rank,
    require_type,
)
from attn_core.spec.initializers import FAN_OUT
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

MOST_PIECES = 1000  # a file could ask for more than memory holds


@dataclass(frozen=True, repr=False)
class Res2Conv(Block):
    r"""Convolve the channels piece by piece, each piece together with the result of the one before.

    **In short**: y[i] = conv(x[i] + y[i - 1])

    .. math::
        y_i = \begin{cases}
            x_i & i = 1 \\
            K_i(x_i) & i = 2 \\
            K_i(x_i + y_{i-1}) & 2 < i \le s
        \end{cases}
        \qquad \text{(equation 1 of the paper)}

    K is a convolution, batch normalisation and relu.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to (batch, channels, \*ceil(space / stride)),
    of any size.

    **Fields**

    - ``channels``: number of channels.
    - ``scale``: number of pieces (the paper's s); one piece is convolved.
    - ``kernel``: length of the convolutions' kernels along each axis, odd (the paper's 3).
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``stride``: by which the convolutions move; above 1 only with ``first_of_stage``.
    - ``first_of_stage``: as the authors begin a stage of their network: y is not added to the next piece, and x_1 is
      averaged over windows of ``kernel`` pixels, moved by the stride, that count the zeros around the image.
    - ``norm``: whether batch normalisation follows each convolution; otherwise the convolutions have biases.
    - ``momentum``: of the normalisations' running statistics, in PyTorch's sense.

    **Raises** `SpecError` if the channels cannot be divided into pieces, for an even kernel, another rank, a stride
    elsewhere than first of a stage, or a momentum outside of 0 to 1.

    **Departures**: the paper's first piece, which stays as it is, is the last one in the authors' code and here; the
    others keep their order. The paper's equation does not show normalisation and relu, and the paper does not speak of
    the first block of a stage; both are as in the authors' code. Fresh weights are normal with std
    sqrt(2 / fan_out), as in the authors' code; biases, which it does not have, are PyTorch's own.
    """

    source: ClassVar[str] = "Gao et al.: Res2Net. TPAMI 2021, arXiv:1904.01169"
    family: ClassVar[str] = "channels"

    channels: int
    scale: int = 4
    _: KW_ONLY
    kernel: int = 3
    rank: int = 2
    stride: int = 1
    first_of_stage: bool = False
    norm: bool = True
    momentum: float = 0.1

    def __post_init__(self) -> None:
        require_type(self, channels=int, scale=int, kernel=int, stride=int)
        require_type(self, first_of_stage=bool, norm=bool, momentum=(float, int))
        require_rank(self)
        divided = 1 <= self.scale <= self.channels and self.channels % self.scale == 0
        require(divided, f"{self!r}: scale must divide channels, as each of its pieces has equally many.")
        require(self.scale <= MOST_PIECES, f"{self!r}: scale must be {MOST_PIECES:,} at most.")
        require_odd(self)
        require_positive(self, "stride")
        rule = "a stride above 1 needs first_of_stage=True, which adds no result to a piece of another size."
        require(self.stride == 1 or self.first_of_stage, f"{self!r}: {rule}")
        require_momentum(self)

    def overruled(self) -> tuple[str, ...]:
        """Name `momentum` where nothing is normalised."""
        return () if self.norm else ("momentum",)

    @property
    def convolved(self) -> int:
        """Number of pieces that are convolved."""
        return max(self.scale - 1, 1)

    def parts(self) -> dict[str, Part | Block]:
        """Return the convolution of each piece but the last, and its normalisation."""
        width, window = self.channels // self.scale, (self.kernel,) * self.rank
        conv = Conv(width, width, window, stride=self.stride, bias=not self.norm, start=FAN_OUT)
        found: dict[str, Part | Block] = {}
        for i in range(self.convolved):
            found |= convolution(f"conv{i}", conv, self.momentum, self.norm)
        return found

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute all y, the untouched one last."""
        pieces = f.split(x, self.scale)
        results: list[T] = []
        for i in range(self.convolved):
            alone = i == 0 or self.first_of_stage
            given = pieces[i] if alone else f.add(results[-1], pieces[i])
            results.append(f.relu(convolve(p, f"conv{i}", given, self.norm)))
        if self.scale > 1:
            last = pieces[-1]
            results.append(f.mean_pool(last, self.kernel, self.stride) if self.first_of_stage else last)
        return f.concat(results)
