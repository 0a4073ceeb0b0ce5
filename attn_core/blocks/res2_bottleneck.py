"""Gao et al.: Res2Net: A New Multi-scale Backbone Architecture. TPAMI 2021, arXiv:1904.01169."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, TypeVar

from attn_core.blocks.convolution import convolution, convolve
from attn_core.blocks.res2_conv import Res2Conv
from attn_core.spec import Block, Part, Parts, require, require_positive, require_type
from attn_core.spec.initializers import FAN_OUT
from attn_core.spec.parts import Conv
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

EXPANSION = 4


@dataclass(frozen=True, repr=False)
class Res2Bottleneck(Block):
    r"""Add to the image what `Res2Conv` computes between two convolutions of one pixel, as in a residual network.

    **In short**: relu(norm(conv(R(relu(norm(conv(x)))))) + x)

    .. math::
        z = \delta(N_3(K_3 * R(\delta(N_1(K_1 * x)))) + x)
        \qquad \text{(section 3.1 of the paper, figure 2b)}

    R is `Res2Conv`, delta is relu, N are batch normalisations. Where the block changes the image's shape, N_0(K_0 * x)
    with a convolution of one pixel stands in place of the last x.

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to (batch, 4 * planes, \*ceil(space / stride)),
    of any size.

    **Fields**

    - ``channels``: number of channels of the input.
    - ``planes``: a fourth of the channels of the output, as residual networks count.
    - ``scale``: number of pieces of `Res2Conv` (the paper's s).
    - ``base_width``: each piece has ``planes * base_width // 64`` channels (the paper's w, where planes is 64).
    - ``kernel``, ``rank``, ``stride``, ``first_of_stage``, ``momentum``: those of `Res2Conv`; ``momentum`` of all
      normalisations.

    **Raises** `SpecError` if a piece has no channel, and as `Res2Conv` does.

    **Departures**: none from the authors' ``Bottle2neck``; those from the paper are in `Res2Conv`. Not here are the
    average before the shortcut's convolution of their later models (v1b) and the squeeze-and-excitation of section 3.3.
    """

    source: ClassVar[str] = "Gao et al.: Res2Net. TPAMI 2021, arXiv:1904.01169"
    family: ClassVar[str] = "channels"
    words: ClassVar[tuple[str, ...]] = ("Res2Net", "Bottle2neck")

    channels: int
    planes: int
    scale: int = 4
    base_width: int = 26
    _: KW_ONLY
    kernel: int = 3
    rank: int = 2
    stride: int = 1
    first_of_stage: bool = False
    momentum: float = 0.1

    def __post_init__(self) -> None:
        require_type(self, channels=int, planes=int, scale=int, base_width=int)
        require_positive(self, "channels")
        rule = "planes * base_width must be at least 64."
        require(self.planes >= 1 and self.width >= 1, f"{self!r} leaves a piece no channel: {rule}")
        require_positive(self, "scale")
        self.parts()

    @property
    def width(self) -> int:
        """Number of channels of a piece."""
        return self.planes * self.base_width // 64

    @property
    def outputs(self) -> int:
        """Number of channels of the output."""
        return EXPANSION * self.planes

    @property
    def projects(self) -> bool:
        """Whether the block changes the image's shape."""
        return self.stride != 1 or self.channels != self.outputs

    def parts(self) -> dict[str, Part | Block]:
        """Return `reduce`, `hierarchy`, `expand` and, where the shape changes, `shortcut`."""
        inside = self.width * self.scale
        hierarchy = Res2Conv(
            inside,
            self.scale,
            kernel=self.kernel,
            rank=self.rank,
            stride=self.stride,
            first_of_stage=self.first_of_stage,
            momentum=self.momentum,
        )
        point = (1,) * self.rank
        found = convolution("reduce", Conv(self.channels, inside, point, bias=False, start=FAN_OUT), self.momentum)
        found |= {"hierarchy": hierarchy}
        found |= convolution("expand", Conv(inside, self.outputs, point, bias=False, start=FAN_OUT), self.momentum)
        if self.projects:
            conv = Conv(self.channels, self.outputs, point, stride=self.stride, bias=False, start=FAN_OUT)
            found |= convolution("shortcut", conv, self.momentum)
        return found

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute z."""
        y = p.hierarchy(f.relu(convolve(p, "reduce", x)))
        shortcut = convolve(p, "shortcut", x) if self.projects else x
        return f.relu(f.add(convolve(p, "expand", y), shortcut))
