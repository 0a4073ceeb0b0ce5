"""How a block starts in a network that was there before; see `attn_core.models.inserting.inserted`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from attn_core.interpreters.reference import evaluate, ops
from attn_core.interpreters.shapes import ShapeError, output_shape
from attn_core.models.inserting.inserted import Inserted, require_image_to_image, require_start
from attn_core.spec import Block, require
from attn_core.weights import initialise

SMALL = 4  # pixels along each axis: the constant does not depend on it


def starting(block: Block, shape: Sequence[int | None], start: str | float = "identity") -> Block:
    """Return what to insert for images of this canonical shape: `Inserted`, or the block itself for "paper".

    **Raises** `SpecError` for another start, and for a block that does not return an image of the same shape;
    `ShapeError` where it cannot take one.
    """
    require_start(start)
    require_image_to_image(block)
    given = (1, *shape[1:])
    made = output_shape(block, given)
    rule = "what is inserted must keep the shape, for other layers follow"
    require(made == given, f"{block!r} makes {made} of {given}: {rule}.")
    if start == "paper":
        return block
    channels = given[1] or 1
    if start != "identity":
        return Inserted(block, channels, strength=float(start))
    share = share_of(block)
    if share is None:
        return Inserted(block, channels)
    return Inserted(block, channels, strength=1.0, share=share, level=bool(block.flat()))


@lru_cache(maxsize=64)  # a network has the same block in many places
def share_of(block: Block) -> float | None:
    """Return the c for which a block computes c x while the last layers before its gates are 0, or None.

    The others have fresh weights, and so have all of a block that names no such layers.
    """
    level = Inserted(block, 1, level=True)
    prefix = len("inner.")
    zeros = {name[prefix:] for name in level.zeros()}
    weights = {name: 0 * array if name in zeros else array for name, array in initialise(block).items()}
    x = np.random.default_rng(0).standard_normal(_small(block))
    y = block.in_order(ops, evaluate(block, weights, x))
    if y.shape != x.shape:
        return None
    share = float((y * x).sum() / (x * x).sum())
    proportional = share > 0 and np.abs(y - share * x).max() <= 1e-9 * np.abs(x).max()
    return round(share, 12) if proportional else None


def _small(block: Block) -> tuple[int, ...]:
    """Return the shape of a small image that the block keeps; that of its example, where it keeps no small one."""
    (example,) = block.example()
    small = (*example[:2], *(min(size, SMALL) for size in example[2:]))
    try:
        return small if output_shape(block, small) == small else example
    except ShapeError:
        return example
