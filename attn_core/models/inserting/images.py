"""Which images stand at a place, in shapes that a pass through the network has seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from attn_core.spec import SpecError

Shape = tuple[int, ...]

VERBS = {"after": "returns", "before": "takes"}


def seen_images(where: str, side: str, shapes: Sequence[Shape | None]) -> list[Shape]:
    """Return the shapes of the images that a layer takes, or returns, in the calls of a pass.

    None stands for what is no array. **Raises** `SpecError` if the layer was not called, or has other things there.
    """
    verb = VERBS[side]
    if not shapes:
        raise SpecError(f"{where} was not called in a pass outside of training: what is inserted there would not run.")
    images = [shape for shape in shapes if shape is not None]
    if len(images) < len(shapes):
        raise SpecError(f"{where} {verb} no single tensor: insert at a layer that {verb} an image.")
    flat = next((shape for shape in images if len(shape) < 3), None)
    if flat is not None:
        raise SpecError(f"{where} {verb} {flat}, which is no image of a batch, channels and pixels.")
    return images


def one_image(where: str, canonical: Sequence[Shape]) -> Shape:
    """Return the largest of these canonical shapes. **Raises** `SpecError` unless all have as many channels."""
    counts = sorted({shape[1] for shape in canonical})
    if len(counts) > 1:
        some = " and ".join(map(str, counts))
        raise SpecError(f"{where} is called {len(canonical)} times, on {some} channels: one block fits one number.")
    return max(canonical)


def titled(name: str, layer: Any) -> str:
    """Return how a sentence calls a layer."""
    return f"{name or 'The network'} ({type(layer).__name__})"
