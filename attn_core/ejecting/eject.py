"""Write a block as source of one framework alone."""

from __future__ import annotations

from attn_core.ejecting.files import file_text
from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.languages.keras import Keras
from attn_core.ejecting.languages.linen import Linen
from attn_core.ejecting.languages.nnx import Nnx
from attn_core.ejecting.languages.numpy import Numpy
from attn_core.ejecting.languages.torch import Torch
from attn_core.ejecting.trace import trace
from attn_core.interpreters.shapes import Shape
from attn_core.spec import Block, SpecError

LANGUAGES: dict[str, type[Language]] = {
    "torch": Torch,
    "keras": Keras,
    "linen": Linen,
    "nnx": Nnx,
    "numpy": Numpy,
}
SIDE = 32  # pixels along an axis of the images that a block is run on
MOST_RANK = 3


def eject(block: Block, to: str, *, rank: int | None = None) -> str:
    """Return the source of a block for one framework."""
    return file_text(trace(block, _example(block, rank)), LANGUAGES[to]())


def _example(block: Block, rank: int | None) -> tuple[Shape, ...]:
    """Return the shapes of inputs, of images with so many spatial axes where the block leaves that open."""
    shapes = block.example()
    own = len(shapes[0]) - 2
    if rank is None or rank == own:
        return shapes
    if hasattr(block, "rank") or not 1 <= rank <= MOST_RANK:
        raise SpecError(f"{block!r} is for images of {own} spatial axes: rank cannot be {rank}.")
    images = tuple((*shape[:2], *(SIDE,) * rank) for shape in shapes[: block.images])
    return (*images, *shapes[block.images :])
