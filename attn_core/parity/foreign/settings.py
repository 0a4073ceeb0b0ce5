"""How a layer is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from attn_core.parity.foreign.layer import ForeignError
from attn_core.parity.subjects import standard_shapes
from attn_core.spec import Block

EVAL, TRAIN = "eval", "train"
MODES = (EVAL, TRAIN)


@dataclass(frozen=True)
class Settings:
    """The image's shape, the type, the modes, the seed, how many draws, and Keras' layout."""

    shape: tuple[int, ...]
    dtype: str = "float32"
    modes: tuple[str, ...] = (EVAL,)
    seed: int = 0
    draws: int = 3  # the layer's own weights, and twice moved ones
    data_format: str | None = None  # where None, as the layer or Keras itself has it


def settled(block: Block | None, shape: Sequence[int] | None, modes: Sequence[str] | None, **rest: Any) -> Settings:
    """Return the settings, with the block's where none are given. **Raises** `ForeignError`."""
    if shape is None and block is None:
        raise ForeignError("Two layers are compared on images of a shape that is given: shape=(2, 64, 14, 14).")
    unknown = [mode for mode in modes or () if mode not in MODES]
    if unknown:
        raise ForeignError(f"There is no mode {unknown[0]!r}; the modes are eval and train.")
    if shape is None:
        assert block is not None
        shape, *_ = standard_shapes(block)
    if block is not None and modes is None:
        modes = modes_of(block)
    return Settings(tuple(shape), modes=tuple(modes or (EVAL,)), **rest)


def modes_of(block: Block) -> tuple[str, ...]:
    """Return the modes in which a block differs: training only where it keeps statistics."""
    keeps_statistics = any(not array.trainable for array in block.arrays().values())
    return MODES if keeps_statistics else (EVAL,)
