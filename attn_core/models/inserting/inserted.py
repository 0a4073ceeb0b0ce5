"""What stands in a network that was there before: a block, and how much of it."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar, TypeVar

from attn_core.spec import Array, Block, Part, Parts, SpecError, require
from attn_core.spec.initializers import Constant
from attn_core.spec.parts import ZERO, Affine
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Inserted(Block):
    r"""Move an image towards what a block makes of it, by a learned strength for each channel.

    **In short**: x + a (block(x) / c - x)

    .. math::
        y = x + a \odot \left(\frac{B(x)}{c} - x\right)

    B is the block, a the `strength`, learned, and c the constant `share`. How they start:

    ============  ======  ==============  ==========================================================================
    start         a       c               which
    ============  ======  ==============  ==========================================================================
    "identity"    1       B(x) = c x      blocks whose gates are all c while their last layers are 0 (`Block.flat`),
                                          or whose fresh weights let the image pass, times c: these layers start at 0
    "identity"    0       1               all others
    a number      that    1               all, with the paper's fresh weights
    ============  ======  ==============  ==========================================================================

    Each start with "identity" is y = x. In the first row the gates have their whole gradient at the first step. In the
    second they have it times a, and so from the second step on: at the first one, it is a that moves. The other way to
    the identity, a sigmoid far on its flat side, has no gradient to speak of. What a strength of 0 does to a block that
    returns its image is worse: neither of the two would ever move. So such a block starts with a = 1.

    What B shuffles is put back into its order (`Block.in_order`), for the layers that follow know which channel is
    which. The block alone, the start "paper", shuffles.

    **Shape**: image (batch, channels, \*space) to the same shape, which the block must keep.

    **Fields**

    - ``block``: B.
    - ``channels``: number of channels.
    - ``strength``: where a starts.
    - ``share``: c.
    - ``level``: whether the block's last layers, `Block.flat`, start at 0.

    **Raises** `SpecError` unless the block takes one image.
    """

    source: ClassVar[str] = "this collection; with a = 0 and c = 1, Bachlechner et al.: ReZero, arXiv:2003.04887"

    block: Block
    channels: int
    _: KW_ONLY
    strength: float = 0.0
    share: float = 1.0
    level: bool = False

    def __post_init__(self) -> None:
        require_image_to_image(self.block)

    def parts(self) -> dict[str, Part | Block]:
        """Return the block as `inner`, and a as `strength`."""
        return {"inner": self.block, "strength": Affine(self.channels, bias=False, law=Constant(self.strength))}

    def arrays(self) -> dict[str, Array]:
        """Return those of the block and of a; those of last layers start at 0."""
        found, zero = super().arrays(), self.zeros()
        return {name: replace(array, law=ZERO) if name in zero else array for name, array in found.items()}

    def zeros(self) -> list[str]:
        """Name the arrays that start at 0 for the sake of the identity."""
        last = tuple(f"inner.{part}." for part in self.block.flat()) if self.level else ()
        found = super().arrays().items()
        return [name for name, array in found if last and name.startswith(last) and array.trainable]

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute y."""
        output = self.block.in_order(f, p.inner(x))
        scaled = output if self.share == 1 else f.linear(output, 1 / self.share)
        return f.add(x, p.strength(f.add(scaled, f.linear(x, -1.0))))


def require_image_to_image(block: Block) -> None:
    """Raise `SpecError` unless a block takes one image."""
    many = f"{block!r} takes {len(block.inputs)} inputs: what is inserted takes one image."
    require(len(block.inputs) == 1, many)


def require_start(start: str | float) -> None:
    """Raise `SpecError` unless this says how an inserted block starts."""
    is_number = isinstance(start, int | float) and not isinstance(start, bool)
    if not is_number and start not in ("identity", "paper"):
        raise SpecError(f'start must be "identity", "paper" or a number, got {start!r}.')
