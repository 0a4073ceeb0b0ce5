"""Arrays and names from outside: of any framework, of any size, of any spelling."""

from __future__ import annotations

import reprlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files.errors import DialectError

Shape = tuple[int, ...]

MOST_BYTES = 1 << 34  # of the arrays of a file: more is refused, as a small file could claim any number


def plain(name: str) -> str:
    """Return a name from outside as a message can hold it."""
    return name if name.isprintable() and len(name) < 200 else reprlib.repr(name)


def shape_of(value: Any) -> Shape:
    """Return the shape of an array of any framework; of what is none, the empty one."""
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple | list):
        return tuple(map(int, shape))
    try:
        return np.shape(value)
    except ValueError:  # lists of different lengths
        return ()


def array_of(name: str, value: Any) -> NDArray[Any]:
    """Return an array of any framework as NumPy's, with its dtype.

    PyTorch's bfloat16, which NumPy has not, becomes float32, which holds the same numbers. **Raises** `DialectError`
    for what holds no real numbers.
    """
    try:
        own = value.detach().cpu() if hasattr(value, "detach") else value
        array = np.asarray(own.float() if str(getattr(own, "dtype", "")) == "torch.bfloat16" else own)
    except (ValueError, TypeError, RuntimeError) as error:  # what arrays of frameworks raise
        raise DialectError(f"{plain(name)} is no array ({error}).") from None
    if array.dtype == bool or not np.can_cast(array.dtype, np.float64, "same_kind"):
        raise DialectError(f"{plain(name)} must hold real numbers, got {array.dtype}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def require_small(path: object, size: int) -> None:
    """Raise `DialectError` for a file that claims more than `MOST_BYTES`."""
    if size > MOST_BYTES:
        raise DialectError(f"{path}: claims {size:,} bytes of arrays; at most {MOST_BYTES:,} are read.")
