"""Zhang, Yang: SA-Net: Shuffle Attention for Deep Convolutional Neural Networks. ICASSP 2021, arXiv:2102.00240."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, TypeVar, cast

from attn_core.spec import Block, Part, Parts, complete, require, require_positive, require_type
from attn_core.spec.parts import ONE, ZERO, Affine, GroupNorm
from attn_core.spec.primitives import Primitives

T = TypeVar("T")

USUAL = 64  # groups


@dataclass(frozen=True, repr=False)
class ShuffleAttention(Block):
    r"""Scale half of the channels of each group as a whole and the other half pixel by pixel, then shuffle all.

    **In short**: x1 * sigmoid(w1 mean(x1) + b1) and x2 * sigmoid(w2 norm(x2) + b2) of each group's halves, shuffled

    .. math::
        X'_{k1} = \sigma(W_1 s + b_1) \cdot X_{k1}, \quad s = \frac{1}{HW} \sum_{i,j} X_{k1}(i, j), \qquad
        X'_{k2} = \sigma(W_2 \cdot GN(X_{k2}) + b_2) \cdot X_{k2}
        \qquad \text{(equations 1 to 3 of the paper)}

    :math:`X_{k1}` and :math:`X_{k2}` are the halves of group k. All groups share the weights, which scale and shift
    channel by channel. The groups of both halves, side by side again, are shuffled (`ChannelShuffle`) in two groups.

    **Shape**: image (batch, channels, \*space) to the same shape; any number of spatial axes from one, of any size.

    **Fields**

    - ``channels``: number of channels (the paper's C).
    - ``groups``: number of groups (the paper's G); each half of a group has ``channels // (2 * groups)`` channels. None
      becomes, when the block is made, the largest number that divides both 64 (the authors') and half the channels.

    **Raises** `SpecError` for an odd number of channels, or if ``2 * groups`` does not divide it.

    **Departures**: none from the authors' code. It normalises each channel of :math:`X_{k2}` alone, where the paper
    only speaks of group norm, and starts both gates at sigmoid(1), with weights 0 and biases 1, of which the paper does
    not speak. On a single pixel a channel minus its mean is 0: the spatial gate then says nothing about the image,
    and float32, in which that 0 may be a rounding error times 316, is good for 4 digits.
    """

    source: ClassVar[str] = "Zhang, Yang: SA-Net: Shuffle Attention. ICASSP 2021, arXiv:2102.00240"
    family: ClassVar[str] = "gates of both"
    words: ClassVar[tuple[str, ...]] = ("SA", "SA-Net", "sa layer", "shuffle")

    channels: int
    groups: int | None = None

    def __post_init__(self) -> None:
        require_type(self, channels=int, groups=(int, type(None)))
        require_positive(self, "channels")
        complete(self, groups=math.gcd(USUAL, self.channels // 2))
        require(self.channels % 2 == 0, f"{self!r}: the channels must be even, for groups have two halves.")
        half = self.channels // 2
        fitting = [n for n in range(1, half + 1) if half % n == 0]
        nearest = min(fitting, key=lambda n: abs(n - self._groups))
        require(self.groups in fitting, f"{self!r}: 2 * groups must divide the channels, as groups={nearest} would.")

    @property
    def _groups(self) -> int:
        return cast(int, self.groups)

    @property
    def width(self) -> int:
        """Number of channels of each half of a group."""
        return self.channels // (2 * self._groups)

    def parts(self) -> dict[str, Part | Block]:
        """Return what the gates are computed with."""
        return {
            "channel": Affine(self.width, law=ZERO, bias_law=ONE),
            "norm": GroupNorm(self.width, self.width),
            "spatial": Affine(self.width, law=ZERO, bias_law=ONE),
        }

    def in_order(self, f: Primitives[T], y: T) -> T:
        """Undo the shuffle."""
        return f.channel_shuffle(y, self.channels // 2)

    def attend(self, f: Primitives[T], p: Parts, x: T) -> tuple[T, T, T, T]:
        """Compute both halves of the groups, and the gate of each; the groups are samples."""
        first, second = f.split(f.group(x, self._groups), 2)
        return first, second, f.sigmoid(p.channel(f.global_mean(first))), f.sigmoid(p.spatial(p.norm(second)))

    def gates(self, f: Primitives[T], p: Parts, x: T) -> dict[str, T]:
        """Compute the gate of the first halves as `channel`, a vector, that of the second ones as `spatial`, an image.

        Both have ``channels // 2`` channels, group after group. With halves of n channels, number k n + i is the gate
        of the image's channel 2 k n + i (`channel`) or 2 k n + n + i (`spatial`).
        """
        _, _, channel, spatial = self.attend(f, p, x)
        return {"channel": f.ungroup(channel, self._groups), "spatial": f.ungroup(spatial, self._groups)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the scaled halves, shuffled."""
        first, second, channel, spatial = self.attend(f, p, x)
        scaled = f.concat([f.scale(first, channel), f.multiply(second, spatial)])
        return f.channel_shuffle(f.ungroup(scaled, self._groups), 2)
