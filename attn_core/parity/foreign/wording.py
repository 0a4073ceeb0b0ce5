"""What is said of a difference, so that a person can act on it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from attn_core.interpreters.outcome import Outcome
from attn_core.interpreters.shapes import explain
from attn_core.parity.result import Tensor
from attn_core.spec import Block

MOST = 4  # tensors that a message lists


def sentences(head: str, tensors: Sequence[Tensor], found: Outcome) -> list[str]:
    """Return the lines of a message: what was compared, and the worst tensors, the output first."""
    beyond = [tensor for tensor in tensors if not tensor.passed]
    beyond.sort(key=lambda tensor: (tensor.name != "output", -tensor.share))
    if beyond and beyond[0].name == "output" and not beyond[0].index:
        beyond = beyond[:1]  # of an output of another shape there are no gradients
    arrays = found.arrays()
    lines = [_capital(head), *(f"  {_line(tensor, arrays.get(tensor.name))}" for tensor in beyond[:MOST])]
    return lines + [f"  and {len(beyond) - MOST} more of {len(tensors)} arrays"] * (len(beyond) > MOST)


def broken_sentence(title: str, error: Exception, block: Block | None, shape: tuple[int, ...], mode: str) -> str:
    """Say what a layer raised; a shape that the block cannot take either is explained."""
    if block is not None:
        explain(error, block, shape)
    notes = " ".join(getattr(error, "__notes__", ()))
    reason = f"{type(error).__name__}: {error}".strip().rstrip(".")
    return f"{_capital(title)} raised {reason}, on an image {shape} in {mode}.{' ' * bool(notes)}{notes}"


def _line(tensor: Tensor, found: np.ndarray | None) -> str:
    if found is None:
        return f"{tensor.name}: the layer computes none"
    if not np.isfinite(found).all():
        index = tuple(map(int, np.argwhere(~np.isfinite(found))[0]))
        return f"{tensor.name}{list(index)}: found {found[index]}, the first of {(~np.isfinite(found)).sum()} such"
    if not np.isfinite(tensor.share):
        return f"{tensor.name}: {tensor.remark or f'error / bound {tensor.share}'}"
    place = list(tensor.index) if tensor.index else ""
    values = f"found {tensor.found:.9g}, wanted {tensor.wanted:.9g}, bound {tensor.bound:.2g}"
    return f"{tensor.name}{place}: {values}, error / bound {tensor.share:.3g}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
