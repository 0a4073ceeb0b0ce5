"""What is said of a difference, so that a person can act on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.shapes import explain
from attn_core.parity.result import Tensor
from attn_core.spec import Block

MOST = 4  # tensors that a message lists


def sentences(head: str, tensors: Sequence[Tensor], found: Outcome) -> list[str]:
    """Return the lines of a message: what was compared, and the worst tensors, the output first."""
    beyond = _worst_first(tensors)
    arrays = found.arrays()
    lines = [_line(tensor, arrays.get(tensor.name)) for tensor in beyond[:MOST]]
    if len(beyond) > MOST:
        lines.append(f"and {len(beyond) - MOST} more of {len(tensors)} arrays")
    return [capital(head), *(f"  {line}" for line in lines)]


def _worst_first(tensors: Sequence[Tensor]) -> list[Tensor]:
    beyond = [tensor for tensor in tensors if not tensor.passed]
    beyond.sort(key=lambda tensor: (tensor.name != "output", -tensor.share))
    # Of an output of another shape, which has no worst number, there are no gradients.
    if beyond and beyond[0].name == "output" and not beyond[0].index:
        return beyond[:1]
    return beyond


def broken_sentence(title: str, error: Exception, block: Block | None, shape: tuple[int, ...], mode: str) -> str:
    """Say what a layer raised; a shape that the block cannot take either is explained."""
    if block is not None:
        explain(error, block, shape)
    reason = f"{type(error).__name__}: {error}".strip().rstrip(".")
    sentence = f"{capital(title)} raised {reason}, on an image {shape} in {mode}."
    lacks = isinstance(error, TypeError) and "missing" in reason and "argument" in reason  # Python's own words
    way = ["It is called with one image: wrap it in a layer that gives it the rest."] if lacks else []
    return " ".join([sentence, *way, *getattr(error, "__notes__", ())])


def _line(tensor: Tensor, found: NDArray[Any] | None) -> str:
    if found is None:
        return f"{tensor.name}: the layer computes none"
    if not np.isfinite(found).all():
        return _undefined(tensor.name, found)
    if not np.isfinite(tensor.share):  # of another shape, say: there is no number that is worst
        reason = tensor.remark or f"error / bound {tensor.share}"
        return f"{tensor.name}: {reason}"
    place = list(tensor.index) if tensor.index else ""
    values = f"found {tensor.found:.9g}, wanted {tensor.wanted:.9g}, bound {tensor.bound:.2g}"
    return f"{tensor.name}{place}: {values}, error / bound {tensor.share:.3g}"


def _undefined(name: str, found: NDArray[Any]) -> str:
    places = np.argwhere(~np.isfinite(found))
    index = tuple(map(int, places[0]))
    return f"{name}{list(index)}: found {found[index]}, the first of {len(places)} such"


def capital(text: str) -> str:
    """Return a sentence's beginning."""
    return text[:1].upper() + text[1:]
