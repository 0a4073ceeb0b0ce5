"""Write a block as source of one framework alone."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path

from attn_core.ejecting.files import MARK, file_text
from attn_core.ejecting.languages.keras import Keras
from attn_core.ejecting.languages.language import Language
from attn_core.ejecting.languages.linen import Linen
from attn_core.ejecting.languages.nnx import Nnx
from attn_core.ejecting.languages.numpy import Numpy
from attn_core.ejecting.languages.torch import Torch
from attn_core.ejecting.targets import TARGETS
from attn_core.ejecting.tracing.trace import trace
from attn_core.interpreters.shapes import Shape
from attn_core.spec import Block, SpecError
from attn_core.weights.files.whole import write_whole

LANGUAGES: Mapping[str, type[Language]] = dict(zip(TARGETS, (Torch, Keras, Linen, Nnx, Numpy), strict=True))
SIDE = 32  # pixels along an axis of the images that a block is run on
MOST_RANK = 3


def eject(block: Block, to: str, *, rank: int | None = None) -> str:
    """Return a block as one self-contained file of a framework: "torch", "keras", "linen", "nnx" or "numpy".

    The source is for this configuration alone and imports nothing of this package. Its weights have the names that they
    have in the block's layer. NumPy's is for inference only. `rank` is the number of spatial axes of the images, for
    blocks that take any number: 2 if left out.
    **Raises** `SpecError` for another framework, or a rank that the block does not have; for a block that takes numbers
    by an index that no rule is known for.
    """
    return file_text(trace(block, _example(block, rank)), LANGUAGES[_known(to)]())


def write(path: Path, text: str) -> None:
    """Write an ejected source to a file, whole or not at all.

    **Raises** `FileExistsError` if the file is there and no source that was ejected earlier: that is never replaced.
    """
    if path.is_dir():
        raise FileExistsError(f"{path} is a folder: give a file for the source.")
    if path.exists() and MARK not in path.read_text(errors="replace"):
        raise FileExistsError(f"{path} is there, and `attn eject` did not write it: give another file.")
    write_whole(path, text.encode())


def _known(to: str) -> str:
    if to in LANGUAGES:
        return to
    near = difflib.get_close_matches(to, LANGUAGES, n=1)
    hint = f"; nearest: {near[0]}" if near else ""
    raise SpecError(f"No source can be written for {to!r}{hint}: give one of {', '.join(LANGUAGES)}.")


def _example(block: Block, rank: int | None) -> tuple[Shape, ...]:
    """Return the shapes of inputs, of images with so many spatial axes where the block leaves that open."""
    shapes = block.example()
    own = len(shapes[0]) - 2
    if rank is None or rank == own:
        return shapes
    if hasattr(block, "rank"):
        raise SpecError(f"{block!r} is for images of {own} spatial axes: give rank={rank} as a field of the block.")
    if block.refuses((*shapes[0][:2], *(SIDE,) * rank)):
        raise SpecError(f"{block!r} is for images of {own} spatial axes: leave rank out.")
    if not 1 <= rank <= MOST_RANK:
        raise SpecError(f"{rank} is no number of spatial axes that frameworks convolve over: rank must be 1, 2 or 3.")
    images = tuple((*shape[:2], *(SIDE,) * rank) for shape in shapes[: block.images])
    return (*images, *shapes[block.images :])
