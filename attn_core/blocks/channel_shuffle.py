"""Zhang, Zhou, Lin, Sun: ShuffleNet. CVPR 2018, arXiv:1707.01083."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeVar

from attn_core.spec import Block, Parts, require, require_positive, require_type
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class ChannelShuffle(Block):
    r"""Deal the channels of each group out to all groups, so that grouped convolutions in a row mix everything.

    **In short**: y[i g + j] = x[j n + i], with g groups of n channels

    .. math::
        y_{i g + j} = x_{j n + i}, \qquad 0 \le i < n, \quad 0 \le j < g
        \qquad \text{with } g \text{ groups of } n \text{ channels (section 3.1 of the paper)}

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's g times n).
    - ``groups``: number of groups (the paper's g); ``channels // groups`` in place of it undoes the shuffle.

    **Raises** `SpecError` if the groups do not divide the channels.

    **Departures**: none.
    """

    source: ClassVar[str] = "Zhang, Zhou, Lin, Sun: ShuffleNet. CVPR 2018, arXiv:1707.01083"
    family: ClassVar[str] = "channels"
    words: ClassVar[tuple[str, ...]] = ("ShuffleNet",)

    channels: int
    groups: int

    def __post_init__(self) -> None:
        require_type(self, channels=int, groups=int)
        require_positive(self, "channels")
        fits = self.groups >= 1 and self.channels % self.groups == 0
        require(fits, f"{self!r}: groups must divide the {self.channels} channels.")

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute y."""
        return f.channel_shuffle(x, self.groups)
