"""What of a block is a dense layer or a convolution: users choose how their kernels and biases begin."""

from __future__ import annotations

from attn_core.spec.block import Block, Part, require
from attn_core.spec.parts import Conv, Dense


def has(part: Part | Block, array: str) -> bool:
    """Say whether a part is, or has inside, a dense layer or convolution with a "kernel" or "bias"."""
    if isinstance(part, Block):
        return any(has(inner, array) for inner in part.parts().values())
    return isinstance(part, (Dense, Conv)) and (array == "kernel" or "bias" in part.arrays())


def require_effect(block: Block, option: str) -> None:
    """Raise `SpecError` for an option, as `kernel_init`, if no kernel or bias of the block could heed it."""
    array = option.partition("_")[0]
    rule = f"has no dense layer or convolution with a {array}"
    require(has(block, array), f"{option} would be without effect: {block!r} {rule}.")
