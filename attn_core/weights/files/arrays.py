"""Arrays and names from outside: of any framework, of any size, of any spelling."""

from __future__ import annotations

import math
import reprlib
import sys
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from attn_core.weights.files.errors import DialectError, UndefinedWarning

Shape = tuple[int, ...]

MOST_BYTES = 1 << 34  # of the arrays of a file: more is refused, as a small file could claim any number
FREE_BYTES = 1 << 26  # that a file may claim, whatever it holds
MOST_TIMES = 100  # as many times what it holds: weights are hardly compressed, but for zeros
MOST_ITEM = 16  # bytes of a number
MOST_CHARACTERS = 200  # that a message repeats of what a file holds


def plain(name: str) -> str:
    """Return a name from outside as a message can hold it."""
    return name if name.isprintable() and len(name) < MOST_CHARACTERS else reprlib.repr(name)


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
        raise DialectError(f"{plain(name)} is no array ({brief(error)}).") from None
    if array.dtype == bool or not np.can_cast(array.dtype, np.float64, "same_kind"):
        raise DialectError(f"{plain(name)} must hold real numbers, got {brief(array.dtype)}.")
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def brief(error: object) -> str:
    """Return what an error says in one line of printable characters, as much of it as a message repeats."""
    line = str(error).partition("\n")[0]
    shown = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line[: MOST_CHARACTERS + 1])
    return shown if len(shown) <= MOST_CHARACTERS else f"{shown[:MOST_CHARACTERS]}..."


def require_possible(shape: Sequence[int]) -> None:
    """Raise `ValueError` for lengths of which NumPy has no array, also where one of 0 makes it an empty one."""
    if min(shape, default=0) < 0 or math.prod(n for n in shape if n) * MOST_ITEM > sys.maxsize:
        raise ValueError(f"no array has the shape {brief(tuple(shape))}")


def require_small(path: object, size: int, held: int) -> None:
    """Raise `DialectError` for a file that claims more than `MOST_BYTES`, or far more than the bytes that it holds."""
    if size > MOST_BYTES:
        raise DialectError(f"{path}: claims {size:,} bytes of arrays; at most {MOST_BYTES:,} are read.")
    if size > max(FREE_BYTES, MOST_TIMES * held):
        rule = f"more than {MOST_TIMES} times as many; save it without compression if that is so"
        raise DialectError(f"{path}: claims {size:,} bytes of arrays and holds {held:,}: {rule}.")


def tell_undefined(where: object, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Warn of weights that are no numbers: whatever is computed with them is none either."""
    for name, array in arrays.items():
        undefined = np.argwhere(~np.isfinite(array))
        if len(undefined):
            place = tuple(map(int, undefined[0]))
            count = f"{len(undefined):,} of its {array.size:,} numbers are not finite"
            held = f"{plain(name)} holds {float(array[place])} at {list(place)}: {count}."
            warnings.warn(f"{where}: {held}", UndefinedWarning, stacklevel=3)
