"""Woo, Park, Lee, Kweon: CBAM: Convolutional Block Attention Module. ECCV 2018, arXiv:1807.06521."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar, TypeVar, cast

from attn_core.blocks.channel_attention import ChannelAttention, Pools
from attn_core.blocks.spatial_attention import SpatialAttention
from attn_core.spec import Block, Part, Parts, complete, require_type
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class CBAM(Block):
    r"""Scale each channel, then each pixel of the result: `ChannelAttention`, then `SpatialAttention`.

    **In short**: x' * M_s(x') with x' = x * M_c(x)

    .. math::
        F' = M_c(F) \otimes F, \qquad F'' = M_s(F') \otimes F'
        \qquad \text{(equation 1 of the paper)}

    **Shape**: image (batch, channels, \*space) of ``rank`` spatial axes to the same shape, of any size.

    **Fields**

    - ``channels``, ``reduction``, ``hidden``, ``bias``, ``pools``: those of `ChannelAttention`.
    - ``kernel``, ``rank``, ``norm``, ``momentum``: those of `SpatialAttention`; ``spatial_bias`` is its ``bias``.

    **Raises** `SpecError` as the two halves do.

    **Departures**: see the two halves. The authors' code is ``bias=True, norm=True`` with the planes of
    ``spatial.conv.weight`` swapped. The CBAM article (docs/articles.md) and most copies have neither biases nor a
    normalisation: the default.
    """

    source: ClassVar[str] = "Woo et al.: CBAM: Convolutional Block Attention Module. ECCV 2018, arXiv:1807.06521"
    family: ClassVar[str] = "gates of both"

    channels: int
    reduction: int | None = None
    kernel: int = 7
    _: KW_ONLY
    hidden: int | None = None
    bias: bool = False
    pools: Pools = "both"
    rank: int = 2
    spatial_bias: bool = False
    norm: bool = False
    momentum: float = 0.01

    def __post_init__(self) -> None:
        require_type(self, spatial_bias=bool)
        channel = self.parts()["channel"]
        complete(self, reduction=cast(ChannelAttention, channel).reduction)

    def overruled(self) -> tuple[str, ...]:
        """Name the fields that have no effect in the halves."""
        fixed = ("reduction",) if self.hidden is not None else ()
        return fixed if self.norm else (*fixed, "momentum")

    def parts(self) -> dict[str, Part | Block]:
        """Return the two halves."""
        return {
            "channel": ChannelAttention(
                self.channels, self.reduction, hidden=self.hidden, bias=self.bias, pools=self.pools
            ),
            "spatial": SpatialAttention(
                self.kernel, rank=self.rank, bias=self.spatial_bias, norm=self.norm, momentum=self.momentum
            ),
        }

    def flat(self) -> tuple[str, ...]:
        """Name those of the two halves."""
        halves: Any = self.parts()
        return tuple(f"{name}.{part}" for name, half in halves.items() for part in half.flat())

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute M_c as `channel`, a vector, and M_s as `spatial`, an image of one channel."""
        found: dict[str, T] = p.channel.gates(x) | p.spatial.gates(p.channel(x))
        return found

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute M_s(F') * F'."""
        y: T = p.spatial(p.channel(x))
        return y
