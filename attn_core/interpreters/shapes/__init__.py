"""Interpreter: shapes. Runs a block on the shapes of its inputs, and explains why a shape cannot work."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from attn_core.interpreters.shapes import ops
from attn_core.interpreters.shapes.ops import Shape, ShapeError, require_image
from attn_core.interpreters.shapes.parts import bind
from attn_core.spec import Block
from attn_core.spec.primitives import Primitives

__all__ = ["Shape", "ShapeError", "bind", "explain", "explained", "output_shape", "require_floating", "require_image"]

PRIMITIVES: Primitives[Shape] = ops  # mypy holds the module to the protocol


def require_floating(dtype: object, floating: bool) -> None:
    """Raise `TypeError` for an image of integers: their means are none, and products with a gate would be cut."""
    if not floating:
        raise TypeError(f"an image holds floating-point numbers, got {dtype}: convert it first, to float32 for example")


def output_shape(block: Block, *shapes: Sequence[int | None], shown: Sequence[object] = ()) -> Shape:
    """Return the canonical shape of the block's output for inputs of these canonical shapes.

    `shown` are the inputs' shapes as the runtime has them, where its layout is not the canonical one.
    **Raises** `ShapeError` with the block, the shapes, the step that cannot take them and what that step expects.
    """
    try:
        output: Shape = bind(block, "")(*map(tuple, shapes))
    except ShapeError as reason:
        given = ", ".join(str(shape) for shape in shown or map(tuple, shapes))
        raise ShapeError(f"{block!r} on [{given}]: {reason}") from None
    return output


def explain(error: BaseException, block: Block, *shapes: Sequence[int | None], shown: Sequence[object] = ()) -> None:
    """Add a note (PEP 678) to a runtime's error if the canonical shapes of the inputs are what is wrong."""
    try:
        output_shape(block, *shapes, shown=shown)
    except ShapeError as reason:
        error.add_note(str(reason))
    except Exception:
        return  # sizes that are symbols, as in an export, may not be compared: the runtime's own error stands


@contextmanager
def explained(block: Block, *shapes: Sequence[int | None], shown: Sequence[object] = ()) -> Iterator[None]:
    """Run some code of a runtime; its error is explained."""
    try:
        yield
    except Exception as error:
        explain(error, block, *shapes, shown=shown)
        raise
