"""Blocks one after the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from attn_core.spec import Block, Part, Parts
from attn_core.spec.primitives import Primitives

T = TypeVar("T")


@dataclass(frozen=True, repr=False)
class Stage(Block):
    """Run blocks one after the other; they are the parts `block1`, `block2`, ..."""

    blocks: tuple[Block, ...]

    def overruled(self) -> tuple[str, ...]:
        """Name the blocks: as parts, they show themselves."""
        return ("blocks",)

    def parts(self) -> dict[str, Part | Block]:
        """Return the blocks."""
        return {f"block{i}": block for i, block in enumerate(self.blocks, 1)}

    def forward(self, f: Primitives[T], p: Parts, x: T) -> T:
        """Compute the last block's output."""
        for i in range(1, len(self.blocks) + 1):
            x = getattr(p, f"block{i}")(x)
        return x
