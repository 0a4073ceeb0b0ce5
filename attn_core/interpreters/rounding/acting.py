"""What functions of NumPy do to rounded numbers: a table that the files of this folder fill."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])

FUNCTIONS: dict[Any, Callable[..., Any]] = {}
MOVE = "move"  # in the table beside the functions of NumPy: putting numbers in other places

# Functions that put numbers in other places, some perhaps several times. They need no lines of their own.
MOVES: frozenset[Any] = frozenset(
    {
        *(np.moveaxis, np.reshape, np.swapaxes, np.expand_dims, np.squeeze, np.repeat, np.take_along_axis),
        *(np.transpose, np.lib.stride_tricks.sliding_window_view),
    }
)


def acts(function: Any) -> Callable[[F], F]:
    """Register what a function of NumPy does to rounded numbers."""

    def register(own: F) -> F:
        FUNCTIONS[function] = own
        return own

    return register
