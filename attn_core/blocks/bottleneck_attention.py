"""Park, Woo, Lee, Kweon: BAM: Bottleneck Attention Module. BMVC 2018, arXiv:1807.06514."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Literal, TypeVar, get_args

from attn_core.blocks.bottleneck import Bottleneck
from attn_core.blocks.convolution import convolution, convolve
from attn_core.spec import (
    Block,
    Part,
    Parts,
    require_choice,
    require_momentum,
    require_positive,
    require_rank,
    require_type,
)
from attn_core.spec.parts import BatchNorm, Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

Joined = Literal["product", "sum"]
JOINED: tuple[str, ...] = get_args(Joined)


@dataclass(frozen=True, repr=False)
class BottleneckAttention(Bottleneck):
    r"""Add to an image itself, scaled by a gate that joins one number for each channel and one for each pixel: BAM.

    **In short**: x * (1 + sigmoid(M_c * M_s)), with M_c = W2 relu(norm(W1 mean(x))) and M_s = convolutions of x

    .. math::
        M_c = W_2 \, \delta(W_1 \bar x + b_1) + b_2, \qquad
        M_s = f_3 \, \delta(f_2 \, \delta(f_1 \, \delta(f_0 \, x))), \qquad
        y = x + x \odot \sigma(M_c \odot M_s)
        \qquad \text{(equations 1 to 4, as the authors' code has them)}

    delta is a normalisation over the batch, then a relu; f_0 and f_3 are convolutions of one pixel, to the hidden
    channels and to one; those between, two, are 3 x 3 with a dilation.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``reduction``: there are ``channels // reduction`` hidden units, and hidden channels (the paper's r); left
      out, it is 16 or, of fewer channels, their number.
    - ``hidden``: their number, in place of that; ``reduction`` is then without effect.
    - ``bias``: whether dense layers and convolutions have biases.
    - ``dilation``: how many pixels the numbers of the 3 x 3 kernels are apart (the paper's d).
    - ``depth``: how many such convolutions there are.
    - ``rank``: number of spatial axes: 1, 2 or 3.
    - ``joined``: "product" of M_c and M_s, or "sum".
    - ``momentum``: of the normalisations' running statistics (PyTorch's).

    **Raises** `SpecError` if there is no hidden unit or a field has a value that is not listed here.

    **Departures**: the paper adds M_c and M_s (``joined="sum"``) and normalises each of them at its end; the authors'
    code multiplies, and normalises before each relu, and so do we. Their code takes means over squares as wide as the
    image is high, which are those of the whole image if it is one; here they always are. Fresh weights and biases are
    PyTorch's own, as in their code. timm's `BottleneckAttn` is another block, of the Bottleneck Transformer.
    """

    source: ClassVar[str] = "Park et al.: BAM: Bottleneck Attention Module. BMVC 2018, arXiv:1807.06514"
    family: ClassVar[str] = "gates of both"
    words: ClassVar[tuple[str, ...]] = ("BAM",)

    _: KW_ONLY
    dilation: int = 4
    depth: int = 2
    rank: int = 2
    joined: Joined = "product"
    momentum: float = 0.1

    def __post_init__(self) -> None:
        require_type(self, dilation=int, depth=int, joined=str, momentum=(float, int))
        super().__post_init__()
        require_positive(self, "dilation", "depth")
        require_rank(self)
        require_choice(self, "joined", JOINED)
        require_momentum(self)

    def parts(self) -> dict[str, Part | Block]:
        """Return W_1, its norm and W_2; f_0 as `squeeze`, f_1 as `dilated0`, ..., their norms, and f_3 as `map`."""
        point, hidden = (1,) * self.rank, self.width
        reduce = {"reduce_norm": BatchNorm(hidden, 0, momentum=self.momentum)}
        squeeze = convolution("squeeze", Conv(self.channels, hidden, point, bias=self.bias), self.momentum)
        dilated = Conv(hidden, hidden, (3,) * self.rank, dilation=self.dilation, bias=self.bias)
        found = super().parts() | reduce | squeeze
        for i in range(self.depth):
            found |= convolution(f"dilated{i}", dilated, self.momentum)
        return found | {"map": Conv(hidden, 1, point, bias=self.bias)}

    def flat(self) -> tuple[str, ...]:
        """Name f_3 and, of a sum, W_2: of a product of zeros, neither factor would get a gradient."""
        return ("map",) if self.joined == "product" else ("map", "expand")

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute 1 + sigma(M_c * M_s) as `spatial`, an image of all channels."""
        channel = p.expand(f.relu(p.reduce_norm(p.reduce(f.global_mean(x)))))
        image = f.relu(convolve(p, "squeeze", x))
        for i in range(self.depth):
            image = f.relu(convolve(p, f"dilated{i}", image))
        join = f.scale if self.joined == "product" else f.shift
        return {"spatial": f.linear(f.sigmoid(join(p.map(image), channel)), 1, 1)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute x * (1 + sigma(M_c * M_s))."""
        return f.multiply(x, self.gates(f, p, x)["spatial"])
