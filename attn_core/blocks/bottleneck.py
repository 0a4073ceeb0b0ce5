"""What blocks with a perceptron from the channels to fewer hidden units and back have in common."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, cast

from attn_core.spec import Block, Part, complete, require, require_positive, require_type
from attn_core.spec.initializers import TORCH, Start
from attn_core.spec.parts import Dense


@dataclass(frozen=True, repr=False)
class Bottleneck(Block):
    """Two dense layers, `reduce` and `expand`, and the fields that size them.

    **Fields**: ``channels``; ``reduction``, which makes ``channels // reduction`` hidden units; ``hidden``, their
    number in place of that; ``bias``, of both layers. **Raises** `SpecError` if there is no hidden unit.

    A reduction that is left out becomes, when the block is made, the `usual` one or, of fewer channels, their number.
    """

    usual: ClassVar[int] = 16
    start: ClassVar[Start] = TORCH  # how both layers begin

    channels: int
    reduction: int | None = None
    _: KW_ONLY
    hidden: int | None = None
    bias: bool = True

    def __post_init__(self) -> None:
        require_type(self, channels=int, reduction=(int, type(None)), hidden=(int, type(None)), bias=bool)
        require_positive(self, "channels")
        complete(self, reduction=min(self.usual, self.channels) if self.hidden is None else self.usual)
        if self.hidden is None:
            rule = f"reduction must lie between 1 and {self.channels}."
            require(self._reduction >= 1, f"{self!r} divides by {self.reduction}: {rule}")
            require(self.width >= 1, f"{self!r} leaves no hidden unit: {rule}")
        require(self.width >= 1, f"{self!r} leaves no hidden unit: hidden must be at least 1.")

    @property
    def _reduction(self) -> int:
        return cast(int, self.reduction)

    @property
    def width(self) -> int:
        """Number of hidden units."""
        return self.channels // self._reduction if self.hidden is None else self.hidden

    def overruled(self) -> tuple[str, ...]:
        """Name `reduction` where `hidden` stands in its place."""
        return () if self.hidden is None else ("reduction",)

    def parts(self) -> dict[str, Part | Block]:
        """Return the two dense layers."""
        return {
            "reduce": Dense(self.channels, self.width, bias=self.bias, start=self.start),
            "expand": Dense(self.width, self.channels, bias=self.bias, start=self.start),
        }
