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
    total = (-(-size // stride) - 1) * stride + length - size
    if length < stride:  # else it is not negative, which a symbol need not be asked
        total = max(total, 0)
    return total // 2, total - total // 2


def places(size: Any, length: int, stride: int, padding: str) -> Any:
    """Return how many windows there are along an axis; unknown for an unknown size."""
    if size is None:
        return None
    before, after = margins(size, length, stride, padding)
    return (size + before + after - length) // stride + 1
