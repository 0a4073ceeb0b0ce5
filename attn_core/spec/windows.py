"""Where the windows of convolutions and pools lie along one axis."""

from __future__ import annotations

from typing import Any

PADDINGS = ("symmetric", "same", "valid")


def margins(size: Any, length: int, stride: int, padding: str) -> tuple[Any, Any]:
    """Return how many pixels are added before and after an axis; the size may be a symbol.

    "symmetric" adds length // 2 on both sides, of windows of odd length. "same" is TensorFlow's SAME: as few as make
    ceil(size / stride) windows, the odd one after. "valid" adds none.
    """
    if padding == "symmetric":
        return length // 2, length // 2
    if padding == "valid" or (padding == "same" and length == 1):
        return 0, 0
    if padding != "same":
        raise ValueError(f"padding must be one of {', '.join(PADDINGS)}, got {padding!r}.")
    # SAME leaves length - 1 pixels to add, less what the last of ceil(size / stride) windows has over. No negative
    # number is divided here: exporters that cut off instead of rounding down would get that wrong for symbols. Nor is a
    # remainder taken: JAX would not know that it and the quotient make up the size.
    windows = (size + stride - 1) // stride
    spare = size + stride - 1 - windows * stride
    if length < stride:  # else it is not larger, which a symbol need not be asked
        spare = min(spare, length - 1)
    before = (length - 1) // 2 - (spare + length % 2) // 2
    return before, length - 1 - spare - before


def places(size: Any, length: int, stride: int, padding: str) -> Any:
    """Return how many windows there are along an axis; unknown for an unknown size."""
    if size is None:
        return None
    before, after = margins(size, length, stride, padding)
    return (size + before + after - length) // stride + 1
